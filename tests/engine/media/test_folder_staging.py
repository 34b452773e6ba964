from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ptfan.engine.errors import OutputError, OutputExistsError
from ptfan.engine.media.folder_staging import FolderStaging, frame_name


def write(folder: Path, word: str, frames: int) -> Path:
    folder.mkdir(exist_ok=True)
    for index in range(frames):
        (folder / frame_name(index)).write_text(word)
    return folder


def read(folder: Path) -> list[str]:
    """Return what is in the frames; nothing else may be there."""
    assert sorted(path.name for path in folder.iterdir()) == [frame_name(i) for i in range(len(list(folder.iterdir())))]
    return [path.read_text() for path in folder.iterdir()]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small disk."""
    path = tmp_path / "disk"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)], capture_output=True).returncode:
        pytest.skip("may not mount a small disk here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_new_folder_appears_when_it_is_committed(tmp_path: Path):
    staging = FolderStaging(tmp_path / "out", overwrite=False)
    write(staging.path, "new", 2)
    assert not staging.target.exists()
    staging.commit()
    assert read(tmp_path / "out") == ["new"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("older", [0, 1, 5])
def test_frames_are_replaced_as_a_whole_and_the_folder_stays(older: int, tmp_path: Path):
    target = write(tmp_path / "out", "older", older)
    number = target.stat().st_ino
    staging = FolderStaging(target, overwrite=True)
    write(staging.path, "new", 3)
    assert len(list(target.glob("*.png"))) == older
    staging.commit()
    assert read(target) == ["new"] * 3
    assert target.stat().st_ino == number
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    "name", ["notes.txt", "0.png", "frame-000001.png", "clip.mp4", ".hidden", "000000.png/", "sub/"]
)
@pytest.mark.parametrize("overwrite", [True, False])
def test_what_is_no_frame_is_never_replaced(name: str, overwrite: bool, tmp_path: Path):
    target = write(tmp_path / "out", "older", 0)
    (target / "000001.png").touch()
    (target / name).mkdir() if name.endswith("/") else (target / name).touch()
    with pytest.raises(OutputExistsError, match=f"holds {name.strip('/')}, and only .* give a new or empty folder"):
        FolderStaging(target, overwrite=overwrite)


def test_frames_need_leave_and_an_empty_folder_needs_none(tmp_path: Path):
    FolderStaging(write(tmp_path / "empty", "", 0), overwrite=False)
    with pytest.raises(OutputExistsError, match="exists already; give --overwrite"):
        FolderStaging(write(tmp_path / "full", "older", 1), overwrite=False)


def test_what_a_killed_run_left_is_passed_over(tmp_path: Path):
    target = write(tmp_path / "out", "", 0)
    write(FolderStaging(target, overwrite=False).path, "killed", 1)
    staging = FolderStaging(target, overwrite=False)
    write(staging.path, "new", 1)
    staging.commit()
    assert [path.read_text() for path in target.glob("*.png")] == ["new"]


def test_a_frame_that_cannot_be_moved_brings_the_older_ones_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = write(tmp_path / "out", "older", 3)
    staging = FolderStaging(target, overwrite=True)
    write(staging.path, "new", 3)
    rename = Path.rename

    def fail(self: Path, other: Path) -> Path:
        if other == target / "000001.png" and self.parent == staging.path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OutputError, match=r"input/output error; the result is kept as .*out\.partial"):
        staging.commit()
    assert read(target) == ["older"] * 3
    assert read(tmp_path / "out.partial") == ["new"] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.partial"]


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(("name", "words"), [("000000.png", "has got frames during the run"), ("a.txt", "holds a.txt")])
def test_what_comes_into_the_folder_meanwhile_stays(there: bool, name: str, words: str, tmp_path: Path):
    target = tmp_path / "out"
    if there:
        target.mkdir()
    staging = FolderStaging(target, overwrite=False)
    write(staging.path, "new", 2)
    target.mkdir(exist_ok=True)
    (target / name).write_text("another's")
    with pytest.raises(OutputExistsError, match=f"{words}.*the result is kept as .*out.partial"):
        staging.commit()
    assert [path.read_text() for path in target.iterdir()] == ["another's"]
    assert read(tmp_path / "out.partial") == ["new"] * 2


def test_a_link_stays_and_the_folder_that_it_leads_to_is_filled(tmp_path: Path):
    real, link = write(tmp_path / "real", "older", 1), tmp_path / "link"
    link.symlink_to("real")
    staging = FolderStaging(link, overwrite=True)
    write(staging.path, "new", 2)
    staging.commit()
    assert link.is_symlink()
    assert read(real) == ["new"] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


@pytest.mark.parametrize("name", [".", "../here"])
def test_the_working_directory_can_be_filled(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(write(tmp_path / "here", "", 0))
    for _ in range(2):
        staging = FolderStaging(Path(name), overwrite=True)
        write(staging.path, "new", 2)
        staging.commit()
        assert read(Path.cwd()) == ["new"] * 2
    staging = FolderStaging(Path(name), overwrite=True)
    write(staging.path, "part", 1)
    assert staging.keep().resolve() == tmp_path / "here.partial"


def test_a_folder_stays_where_it_was_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    staging = FolderStaging(Path("out"), overwrite=True)
    write(staging.path, "new", 2)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    staging.commit()
    assert read(tmp_path / "out") == ["new"] * 2


def test_a_mount_point_can_be_filled(disk: Path):
    for _ in range(2):
        staging = FolderStaging(disk, overwrite=True)
        write(staging.path, "new", 2)
        staging.commit()
        assert read(disk) == ["new"] * 2


def test_a_part_is_kept_inside_a_mount_point(disk: Path):
    staging = FolderStaging(disk, overwrite=False)
    write(staging.path, "part", 1)
    assert staging.keep() == disk / "disk.partial"
    assert read(disk / "disk.partial") == ["part"]
    assert [path.name for path in disk.iterdir()] == ["disk.partial"]


def test_only_a_folder_that_is_not_there_needs_room_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = write(tmp_path / "out", "", 0)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path and access(path, mode))
    FolderStaging(target, overwrite=False)
    with pytest.raises(OutputError, match="cannot be written to"):
        FolderStaging(tmp_path / "new", overwrite=False)
    with pytest.raises(OutputError, match="does not exist; make it first"):
        FolderStaging(tmp_path / "no" / "out", overwrite=False)


def test_an_older_part_is_replaced_and_anything_else_stays(tmp_path: Path):
    def keep(word: str) -> Path:
        staging = FolderStaging(tmp_path / "out", overwrite=False)
        write(staging.path, word, 2)
        return staging.keep()

    assert keep("first") == keep("second") == tmp_path / "out.partial"
    assert read(tmp_path / "out.partial") == ["second"] * 2
    (tmp_path / "out.partial" / "notes.txt").touch()
    assert keep("third") == tmp_path / "out.partial-2"
    assert (tmp_path / "out.partial" / "notes.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.partial", "out.partial-2"]


def test_discarding_leaves_nothing(tmp_path: Path):
    for make in (lambda: None, lambda: write(tmp_path / "out", "older", 1)):
        make()
        staging = FolderStaging(tmp_path / "out", overwrite=True)
        write(staging.path, "new", 2)
        staging.discard()
        staging.discard()
    assert read(tmp_path / "out") == ["older"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_name_may_be_as_long_as_a_file_system_takes(tmp_path: Path):
    target = tmp_path / ("é" * 127)
    for number in range(2):
        staging = FolderStaging(target, overwrite=True)
        staging.path.mkdir()
        (staging.path / frame_name(number)).touch()
        staging.commit()
    assert [path.name for path in target.iterdir()] == [frame_name(1)]
    assert list(tmp_path.iterdir()) == [target]
