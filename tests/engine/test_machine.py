"""What the machine says of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ptfan.engine import machine
from ptfan.engine.machine import multiplies_bytes


@pytest.fixture
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the file that stands for the system's list of processors."""
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "CPUINFO", path)
    multiplies_bytes.cache_clear()
    yield path
    multiplies_bytes.cache_clear()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_vnni", True),
        ("flags\t\t: fpu avx2 avx_vnni", True),
        ("Features\t: fp asimd asimddp", True),
        ("flags\t\t: fpu avx2 avx512f avx512_vnnix", False),
        ("Features\t: fp asimd", False),
        ("", False),
    ],
)
def test_the_processor_s_list_tells_whether_bytes_are_multiplied(line: str, expected: bool, cpuinfo: Path) -> None:
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: Some CPU\n{line}\n", encoding="utf-8")
    assert multiplies_bytes() is expected
    assert machine.processor() == "Some CPU"


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that stands for the system's cgroups, on a machine of eight cores, for a process of `a/b`."""
    own = tmp_path / "own"
    own.write_text("3:cpuset:/elsewhere\n0::/a/b\n", encoding="utf-8")
    monkeypatch.setattr(machine, "OWN_CGROUP", own)
    monkeypatch.setattr(machine, "CGROUPS", tmp_path / "cgroups")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    (tmp_path / "cgroups/a/b").mkdir(parents=True)
    return tmp_path / "cgroups"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, 8),
        ({"a": "max 100000"}, 8),
        ({"": "200000 100000"}, 2),  # a container sees its own cgroup as the root
        ({"a/b": "150000 100000", "a": "400000 100000"}, 2),
        ({"a/b": "max 100000", "a": "300000 100000"}, 3),
        ({"a/b": "1000 100000"}, 1),
        ({"a/b": "1600000 100000"}, 8),
    ],
)
def test_quotas_count_as_cores(limits: dict[str, str], expected: int, cgroups: Path) -> None:
    for folder, limit in limits.items():
        (cgroups / folder / "cpu.max").write_text(f"{limit}\n", encoding="utf-8")
    assert machine.cores() == expected
    assert machine.usual_threads() == (expected if expected < 8 else 0)


def test_without_cgroups_all_cores_count(cgroups: Path) -> None:
    machine.OWN_CGROUP.unlink()
    assert machine.cores() == 8
    assert machine.usual_threads() == 0


def test_without_the_list_they_are_not(cpuinfo: Path) -> None:
    assert not cpuinfo.exists()
    assert multiplies_bytes() is False
