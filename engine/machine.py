"""What a figure was measured on."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path

from ptfan.engine.versions import versions

__all__ = ["describe_machine", "processor"]


def describe_machine() -> dict[str, str]:
    """Return processor, cores, load, system, versions and the day, for people to read."""
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "processor": processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "clock": _clock(),
        "load before": load,
        "system": platform.platform(terse=True),
        "date": datetime.date.today().isoformat(),
        **versions(),
    }


def processor() -> str:
    """Return the processor's name, as Linux tells it."""
    return _from_cpuinfo("model name") or platform.processor() or platform.machine()


def _clock() -> str:
    megahertz = _from_cpuinfo("cpu MHz")
    return f"{float(megahertz):.0f} MHz now, not fixed" if megahertz else "unknown"


def _from_cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
