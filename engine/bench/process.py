"""A measurement in a process of its own: nothing that ran before it is in its memory or its caches."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ptfan.engine.errors import BackendError

__all__ = ["most_memory", "run_process"]


def run_process(module: str, asked: Mapping[str, object], what: str, *, folder: Path | None = None) -> dict[str, Any]:
    """Run `python -m MODULE JSON`; return the JSON object that its last line holds.

    Args:
        module: its name.
        asked: what it is told.
        what: what it does, for the error.
        folder: where it runs, whose modules it finds; here by default.

    Raises:
        BackendError: it failed.
    """
    command = [sys.executable, "-m", module, json.dumps(asked)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BackendError(f"bench: {what} failed ({last[:200]})")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def most_memory() -> int:
    """Return the most memory that this process has had, bytes."""
    # What getrusage tells begins with the memory of the process that started this one.
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
