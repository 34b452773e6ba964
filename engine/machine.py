"""What a figure was measured on."""

from __future__ import annotations

import datetime
import os
import platform
from functools import lru_cache
from pathlib import Path

from ptfan.engine.versions import versions

__all__ = ["cores", "describe_machine", "multiplies_bytes", "processor"]

CPUINFO = Path("/proc/cpuinfo")
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
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """Return the processor's name, as Linux tells it."""
    return _from_cpuinfo("model name") or platform.processor() or platform.machine()


@lru_cache
def multiplies_bytes() -> bool:
    """Return whether the processor has instructions for products of bytes, as Linux tells it; False elsewhere."""
    return bool(BYTE_PRODUCTS & {*_from_cpuinfo("flags").split(), *_from_cpuinfo("Features").split()})


def _clock() -> str:
    megahertz = _from_cpuinfo("cpu MHz")
    return f"{float(megahertz):.0f} MHz now, not fixed" if megahertz else "unknown"


def _from_cpuinfo(key: str) -> str:
    lines = CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
