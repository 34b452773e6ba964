from __future__ import annotations

from pathlib import Path

import pytest

from ptfan.engine.commands.side_file import SideFile
from ptfan.engine.errors import OutputError, OutputExistsError


def test_nothing_is_written_that_is_not_asked_for(tmp_path: Path) -> None:
    SideFile(None, overwrite=False).write("text")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(OutputExistsError):
        SideFile(path, overwrite=False)
    with pytest.raises(OutputError):
        SideFile(tmp_path / "nowhere" / "report.json", overwrite=True)
    assert path.read_text() == "old"


def test_standard_output_takes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="stands for standard output"):
        SideFile(Path("-"), overwrite=True)


@pytest.mark.parametrize("content", ["new\n", b"new\n"])
def test_text_and_bytes_are_written(content: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    SideFile(path, overwrite=True).write(content)
    assert path.read_bytes() == b"new\n"
