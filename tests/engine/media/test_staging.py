from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ptfan.engine.errors import OutputError, OutputExistsError
from ptfan.engine.media.staging import Staging, partial_name


def test_a_file_appears_when_it_is_committed(tmp_path: Path):
    staging = Staging(tmp_path / "out.mp4", overwrite=False)
    assert (staging.path.parent, staging.path.suffix) == (tmp_path, ".mp4")
    staging.path.write_bytes(b"new")
    assert not staging.target.exists()
    staging.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_stands_there_needs_leave(kind: str, tmp_path: Path):
    target = tmp_path / "out.mp4"
    if kind == "link":
        target.symlink_to(tmp_path / "nowhere")
    else:
        target.touch()
    with pytest.raises(OutputExistsError):
        Staging(target, overwrite=False)
    Staging(target, overwrite=True)


def test_a_pipe_is_not_replaced(tmp_path: Path):
    os.mkfifo(tmp_path / "out.mp4")
    with pytest.raises(OutputError, match="is a device or a pipe"):
        Staging(tmp_path / "out.mp4", overwrite=True)


def test_the_folder_must_be_there(tmp_path: Path):
    with pytest.raises(OutputError, match="does not exist; make it first"):
        Staging(tmp_path / "no" / "out.mp4", overwrite=False)


def test_discarding_leaves_nothing(tmp_path: Path):
    staging = Staging(tmp_path / "out", overwrite=False)
    staging.path.touch()
    staging.discard()
    staging.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_part_is_kept_under_its_own_name(tmp_path: Path):
    for content in (b"1", b"2"):
        staging = Staging(tmp_path / "out.mkv", overwrite=False)
        staging.path.write_bytes(content)
        assert staging.keep() == tmp_path / "out.partial.mkv"
    assert (tmp_path / "out.partial.mkv").read_bytes() == b"2"


def test_a_name_may_be_as_long_as_a_file_system_takes(tmp_path: Path):
    target = tmp_path / ("é" * 125 + ".mkv")
    staging = Staging(target, overwrite=False)
    staging.path.write_bytes(b"part")
    assert staging.path.suffix == ".mkv"
    assert staging.keep() == tmp_path / ("é" * 121 + ".partial.mkv")
    staging.path.write_bytes(b"whole")
    staging.commit()
    assert target.read_bytes() == b"whole"


def test_a_folder_in_the_way_of_a_part_stays(tmp_path: Path):
    (tmp_path / "out.partial.mkv").mkdir()
    staging = Staging(tmp_path / "out.mkv", overwrite=False)
    staging.path.write_bytes(b"new")
    assert staging.keep() == tmp_path / "out.partial-2.mkv"
    assert (tmp_path / "out.partial.mkv").is_dir()


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "real").write_bytes(b"older")
    (tmp_path / "out.mp4").symlink_to("store/real")
    for keep in (False, True):
        staging = Staging(tmp_path / "out.mp4", overwrite=True)
        assert (staging.path.parent, staging.path.suffix) == (tmp_path / "store", ".mp4")
        staging.path.write_bytes(b"new")
        if keep:
            staging.keep()
        else:
            staging.commit()
    assert (tmp_path / "out.mp4").is_symlink()
    assert (tmp_path / "out.mp4").read_bytes() == b"new"
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["real", "real.partial.mp4"]


@pytest.mark.parametrize("hard_links", [True, False])
def test_what_comes_under_the_name_meanwhile_stays(hard_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if not hard_links:
        monkeypatch.setattr(os, "link", refuse)
    target, staging = tmp_path / "out.mkv", Staging(tmp_path / "out.mkv", overwrite=False)
    staging.path.write_bytes(b"new")
    target.write_bytes(b"another's")
    with pytest.raises(
        OutputExistsError, match=r"during the run.*not replaced; the result is kept as .*out\.partial\.mkv"
    ):
        staging.commit()
    assert (target.read_bytes(), (tmp_path / "out.partial.mkv").read_bytes()) == (b"another's", b"new")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    staging = Staging(tmp_path / "out.mkv", overwrite=False)
    staging.path.write_bytes(b"new")
    staging.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


def test_what_cannot_be_moved_into_place_is_kept(tmp_path: Path):
    staging = Staging(tmp_path / "out.mkv", overwrite=True)
    staging.path.write_bytes(b"new")
    (tmp_path / "out.mkv").mkdir()
    with pytest.raises(OutputError, match=r"cannot be written: is a directory; the result is kept as"):
        staging.commit()
    assert (tmp_path / "out.partial.mkv").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "part"), [("out.mp4", "out.partial.mp4"), ("a.b", "a.partial.b"), ("out", "out.partial")]
)
def test_the_name_of_a_part(name: str, part: str, tmp_path: Path):
    assert partial_name(tmp_path / name) == tmp_path / part
    assert partial_name(tmp_path / name, 2) == tmp_path / part.replace("partial", "partial-2")


def test_two_outputs_of_one_name_do_not_meet(tmp_path: Path):
    first, second = (Staging(tmp_path / "out.mkv", overwrite=True) for _ in range(2))
    assert first.path != second.path


@pytest.mark.parametrize("done", [True, False])
def test_an_output_stays_where_it_was_when_the_working_directory_changes(
    done: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    staging = Staging(Path("out.mkv"), overwrite=True)
    staging.path.write_bytes(b"new")
    monkeypatch.chdir(tmp_path / "other")
    kept = None if done else staging.keep()
    if done:
        staging.commit()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.mkv" if done else "out.partial.mkv"]
    assert kept == (None if done else tmp_path / "out.partial.mkv")


def test_what_is_kept_is_named_as_the_output_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    staging = Staging(Path("out.mkv"), overwrite=True)
    staging.path.write_bytes(b"part")
    assert staging.keep() == Path("out.partial.mkv")


def test_nobody_can_tell_where_it_is_written_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a link might lie there, in a folder where others write as well, and lead to another file."""
    monkeypatch.setattr("builtins.id", lambda _: 1)
    first, second = (Staging(tmp_path / "a.mp4", overwrite=False).path for _ in range(2))
    assert first != second
