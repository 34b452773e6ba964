from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ptfan.engine.errors import OutputError, OutputExistsError
from ptfan.engine.media.staging import Staging, output_error


def test_a_file_appears_when_it_is_committed(tmp_path: Path):
    staging = Staging(tmp_path / "out.mp4", overwrite=False)
    assert (staging.path.parent, staging.path.suffix) == (tmp_path, ".mp4")
    staging.path.write_bytes(b"new")
    assert not staging.target.exists()
    staging.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old.png").touch()
    staging = Staging(target, overwrite=True)
    staging.path.mkdir()
    (staging.path / "new.png").touch()
    assert (target / "old.png").exists()
    staging.commit()
    assert [path.name for path in target.iterdir()] == ["new.png"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_be_replaced_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old.png").touch()
    staging = Staging(target, overwrite=True)
    staging.path.mkdir()
    rename = Path.rename

    def fail(self: Path, other: Path) -> Path:
        if self == staging.path:
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OutputError, match="the disk is full"):
        staging.commit()
    assert [path.name for path in target.iterdir()] == ["old.png"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_stands_there_needs_leave(kind: str, tmp_path: Path):
    target = tmp_path / "out.mp4"
    if kind == "folder":
        target.mkdir()
        (target / "x").touch()
    elif kind == "link":
        target.symlink_to(tmp_path / "nowhere")
    else:
        target.touch()
    with pytest.raises(OutputExistsError):
        Staging(target, overwrite=False)
    Staging(target, overwrite=True)


def test_an_empty_folder_needs_none(tmp_path: Path):
    (tmp_path / "out").mkdir()
    Staging(tmp_path / "out", overwrite=False)


def test_the_folder_must_be_there(tmp_path: Path):
    with pytest.raises(OutputError, match="does not exist; make it first"):
        Staging(tmp_path / "no" / "out.mp4", overwrite=False)


def test_discarding_leaves_nothing(tmp_path: Path):
    for make in (Path.mkdir, Path.touch):
        staging = Staging(tmp_path / "out", overwrite=False)
        make(staging.path)
        staging.discard()
        staging.discard()
        assert list(tmp_path.iterdir()) == []


def test_a_part_is_kept_under_its_own_name(tmp_path: Path):
    for content in (b"1", b"2"):
        staging = Staging(tmp_path / "out.mkv", overwrite=False)
        staging.path.write_bytes(content)
        assert staging.keep() == tmp_path / "out.partial.mkv"
    assert (tmp_path / "out.partial.mkv").read_bytes() == b"2"


def test_two_outputs_of_one_name_do_not_meet(tmp_path: Path):
    first, second = (Staging(tmp_path / "out.mkv", overwrite=True) for _ in range(2))
    assert first.path != second.path


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "permission denied"), (errno.EROFS, "read-only")],
)
def test_errors_take_one_line(code: int, words: str):
    import os

    error = output_error(Path("out.mp4"), OSError(code, os.strerror(code)))
    assert str(error).startswith("out.mp4: cannot be written: ")
    assert words in str(error)
    assert (error.errno, "\n" in str(error)) == (code, False)
