"""The script for machines with a GPU, without one: what it asks for, and that it keeps to its time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu.sh"

PYTHON = """#!{python}
import sys, time
arguments = sys.argv[1:]
if arguments[0] == "-c":
    sys.exit(1)
if "build" in arguments:
    open(arguments[arguments.index("-o") + 1], "w").close()
if "verify" in arguments:
    sys.exit({{"s-none.plan": 2, "s-live-none.plan": 1}}.get(arguments[3].rsplit("/")[-1], 0))
time.sleep({seconds})
"""
"""Builds every plan; one does not run, and one answers otherwise than on the CPU."""


def run(tmp_path: Path, seconds: float, **variables: str) -> list[str]:
    """Run the script with that in Python's place; return its log."""
    python = tmp_path / "python"
    python.write_text(PYTHON.format(python=sys.executable, seconds=seconds), encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / "bin").mkdir()
    for tool in ("nvcc", "cmake", "ctest", "nvidia-smi"):
        (tmp_path / "bin" / tool).symlink_to("/bin/true")
    environment = {**os.environ, **variables, "PYTHON": str(python), "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    subprocess.run([SCRIPT, tmp_path / "found"], env=environment, check=True, capture_output=True)
    return (tmp_path / "found" / "log.txt").read_text(encoding="utf-8").splitlines()


def test_plans_that_run_are_measured_and_others_spoil_nothing(tmp_path: Path) -> None:
    log = run(tmp_path, 0)
    measured = next(line for line in log if "bench-tensorrt-none" in line)
    assert "s-live-none.plan" in measured
    assert "/s-none.plan" not in measured
    assert sum("/s-none.plan" in line for line in log) == 2, "it was built, and asked for an answer"
    asked = [line for line in log if line.startswith("== after")]
    first = {
        word: next(place for place, line in enumerate(asked) if word in line) for word in ("ctest", "none", "cuda")
    }
    assert first["ctest"] < first["none"] < first["cuda"]


def test_with_a_limit_it_is_over_in_time(tmp_path: Path) -> None:
    begin = time.monotonic()
    log = run(tmp_path, 60, LIMIT="4")
    assert time.monotonic() - begin < 30
    assert log[-1].startswith("== over after")
    assert "== exit status 124" in log, "what takes long is cut off"
    assert "== left out, for want of time" in log
