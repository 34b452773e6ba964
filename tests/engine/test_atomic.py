from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ptfan.engine.atomic import check_target, fitting_name, output_error, replacing, write_atomically
from ptfan.engine.errors import OutputError, OutputExistsError


def test_the_file_is_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, b"one")
    write_atomically(path, b"two", overwrite=True)
    assert path.read_bytes() == b"two"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_the_file_has_the_rights_of_any_other_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_atomically(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_exists_stays_unless_leave_is_given(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_atomically(path, b"new", overwrite=False)
    assert path.read_bytes() == b"old"
    check_target(path, overwrite=True)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_written(there: bool, tmp_path: Path) -> None:
    link, end = tmp_path / "a.txt", tmp_path / "elsewhere" / "b.txt"
    end.parent.mkdir()
    link.symlink_to(end)
    if there:
        end.write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_atomically(link, b"new", overwrite=False)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert end.read_bytes() == b"new"
    assert list(end.parent.iterdir()) == [end]


@pytest.mark.parametrize("name", ["a" * 251 + ".txt", "é" * 125 + ".json"])
def test_a_name_may_be_as_long_as_a_file_system_takes(name: str, tmp_path: Path) -> None:
    write_atomically(tmp_path / name, b"new")
    assert [item.name for item in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "name", ["a" * 300, "é" * 200, os.fsdecode(b"\xe9" * 300)], ids=["ascii", "accents", "no utf-8"]
)
def test_a_name_that_is_too_long_loses_its_end(name: str) -> None:
    fitting = fitting_name(name, ".partial.mp4")
    assert 254 <= len(os.fsencode(fitting)) <= 255
    assert name.startswith(fitting.removesuffix(".partial.mp4"))


def test_a_name_that_fits_stays_as_it_is_in_whatever_encoding() -> None:
    name = os.fsdecode(b"caf\xe9")  # as older systems and some archives write it
    assert fitting_name(name, ".partial.mp4") == name + ".partial.mp4"


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "a.json"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="is a device or a pipe"):
        write_atomically(pipe, b"new", overwrite=True)
    assert pipe.is_fifo()


def test_a_device_behind_a_link_is_not_replaced(tmp_path: Path) -> None:
    link = tmp_path / "a.json"
    link.symlink_to(os.devnull)
    with pytest.raises(OutputError, match="is a device or a pipe"):
        check_target(link, overwrite=True)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"its folder .*nowhere does not exist"):
        check_target(tmp_path / "nowhere" / "a.txt", overwrite=False)
    with pytest.raises(OutputError, match="is a folder"):
        check_target(tmp_path, overwrite=True)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="cannot be written to"):
        check_target(tmp_path / "a.txt", overwrite=False)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(b"old")
    with pytest.raises(UnicodeEncodeError), replacing(path) as file:
        file.writelines([b"half", "é".encode("ascii")])
    with pytest.raises(OutputError, match=r"a\.npy: cannot be written: the disk is full"), replacing(path) as file:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.npy"]


def test_an_error_without_a_number_is_told_in_its_words(tmp_path: Path) -> None:
    words = "1000000 requested and 4096 written"  # numpy's, where the disk fills up amid an array
    with pytest.raises(OutputError, match=rf"a\.npy: cannot be written: {words}$"), replacing(tmp_path / "a.npy"):
        raise OSError(words)


def test_an_error_of_ours_is_passed_on_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"^b: is no file$"), replacing(tmp_path / "a"):
        raise OutputError("b: is no file")


def test_the_rights_of_files_that_others_make_meanwhile_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask is the whole process's"))
    write_atomically(tmp_path / "a", b"")


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "permission denied"), (errno.EROFS, "read-only")],
)
def test_errors_take_one_line(code: int, words: str):
    error = output_error(Path("out.mp4"), OSError(code, os.strerror(code)))
    assert str(error).startswith("out.mp4: cannot be written: ")
    assert words in str(error)
    assert (error.errno, "\n" in str(error)) == (code, False)
