"""What the machine says of itself."""

from __future__ import annotations

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


def test_without_the_list_they_are_not(cpuinfo: Path) -> None:
    assert not cpuinfo.exists()
    assert multiplies_bytes() is False
