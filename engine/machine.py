"""This machine: its processor, how many cores may be used, and what a figure was measured on."""

from __future__ import annotations

import datetime
import math
import os
import platform
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ptfan.engine.versions import versions

__all__ = ["cores", "describe_machine", "multiplies_bytes", "processor", "usual_threads"]

CPUINFO = Path("/proc/cpuinfo")
OWN_CGROUP, CGROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
BYTE_PRODUCTS = {"avx512_vnni", "avx_vnni", "asimddp"}
"""Instructions that multiply bytes and add up the products: three times as fast as those for fp32, with all around."""


def describe_machine() -> dict[str, str]:
    """Return processor, cores, load, system, versions and the day, for people to read."""
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "processor": processor(),
        "cores": str(cores()),
        "clock": _clock(),
        "load before": load,
        "system": platform.platform(terse=True),
        "date": datetime.date.today().isoformat(),
        **versions(),
    }


def cores() -> int:
    """Return how many cores this process may use: a container's or a service's quota counts, rounded up."""
    return min([_visible_cores(), *_quotas()])


def usual_threads() -> int:
    """Return how many threads a library is to take where nobody says: 0, as it likes, unless a quota gives fewer cores.

    Libraries see the cores alone. More threads than a quota lasts for are stopped together, time and again.
    """
    allowed = cores()
    return allowed if allowed < _visible_cores() else 0


def processor() -> str:
    """Return the processor's name, as Linux tells it."""
    return _from_cpuinfo("model name") or platform.processor() or platform.machine()


@lru_cache
def multiplies_bytes() -> bool:
    """Return whether the processor has instructions for products of bytes, as Linux tells it; False elsewhere."""
    return bool(BYTE_PRODUCTS & {*_from_cpuinfo("flags").split(), *_from_cpuinfo("Features").split()})


def _visible_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quotas() -> Iterator[int]:
    """Go through the quotas that hold for this process: of its cgroup (of version 2) and of those that it is in."""
    lines = _content(OWN_CGROUP).splitlines()
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    for folder in (CGROUPS / own, *(CGROUPS / parent for parent in Path(own).parents)):
        quota, _, period = _content(folder / "cpu.max").partition(" ")
        if quota.isdecimal():  # else it is `max`, or not told
            yield max(1, math.ceil(int(quota) / int(period)))


def _clock() -> str:
    megahertz = _from_cpuinfo("cpu MHz")
    return f"{float(megahertz):.0f} MHz now, not fixed" if megahertz else "unknown"


def _from_cpuinfo(key: str) -> str:
    lines = _content(CPUINFO).splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _content(path: Path) -> str:
    """Return what Linux tells in a file; nothing where it does not."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
