from __future__ import annotations

from pathlib import Path

import pytest

from ptfan.engine.errors import OutputError
from ptfan.engine.folders import make_folder


def test_a_folder_is_made_with_those_that_it_lies_in(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_folder(folder)
    (folder / "kept").touch()
    make_folder(folder)
    assert [path.name for path in folder.iterdir()] == ["kept"]


def test_what_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match=rf"{folder}: cannot be made \(.*\); give another folder"):
            make_folder(folder)


def test_what_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    with pytest.raises(OutputError, match="cannot be written to; give another folder"):
        make_folder(tmp_path)
