"""Files that are there whole or not at all, and what can be wrong with their names."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import IO

from ptfan.engine.errors import OutputError, OutputExistsError, PtfanError

__all__ = [
    "check_room",
    "check_target",
    "end_of_links",
    "fitting_name",
    "output_error",
    "replacing",
    "write_atomically",
]

_LONGEST_NAME = 255
"""Bytes of a file's name that file systems take."""


def check_target(path: Path, *, overwrite: bool) -> None:
    """Check that a file can be written, before the work that it is to hold.

    Raises:
        OutputExistsError: it exists and may not be overwritten.
        OutputError: its folder is not there or cannot be written to, or it is a folder, a device or a pipe itself.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    check_room(path, end_of_links(path).parent)
    if os.path.lexists(path) and not overwrite:
        raise OutputExistsError(f"{path}: exists already; give --overwrite to replace it")


def check_room(target: Path, folder: Path) -> None:
    """Check that an output can be made in a folder, and takes the place of no device or pipe, such as `/dev/null`.

    Raises:
        OutputError: the folder is not there or cannot be written to, or the output is no file or folder.
    """
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise OutputError(f"{target}: is a device or a pipe, which nothing is to replace; give another name")
    if not folder.is_dir():
        raise OutputError(f"{target}: its folder {folder} does not exist; make it first")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{target}: its folder {folder} cannot be written to (permission denied)")


def write_atomically(path: Path, content: bytes, *, overwrite: bool = True) -> None:
    """Write a file beside its name and move it into place when it is complete; a link stays, and leads to it.

    Raises:
        OutputExistsError: it exists and may not be overwritten.
        OutputError: it cannot be written; an older file stays.
    """
    check_target(path, overwrite=overwrite)
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write that takes a name's place when all went well, and leaves nothing behind when not.

    A link is followed: what it leads to is replaced.

    Raises:
        OutputError: it cannot be written; an older file stays.
    """
    place = end_of_links(path)
    beside = place.with_name(fitting_name(f".{place.name}", f".{token_hex(8)}"))
    try:
        with beside.open("xb") as file:
            yield file
        beside.replace(place)
    except PtfanError:
        raise
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        with suppress(OSError):  # Where all went well, nothing has this name any longer.
            beside.unlink()


def end_of_links(target: Path) -> Path:
    """Return what a link leads to, and the whole name where the last part is none, as of `.`; else the name itself."""
    if target.is_symlink() or target.name in ("", ".."):
        return Path(os.path.realpath(target))
    return target


def fitting_name(name: str, rest: str) -> str:
    """Put a name and what is added to it together, and leave out of the name what a file system would not take."""
    while name and len(os.fsencode(name + rest)) > _LONGEST_NAME:
        name = name[:-1]
    return name + rest


def output_error(target: Path, error: OSError) -> OutputError:
    """Say in one line why an output could not be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    reason = "the disk is full" if full else error.strerror or str(error)
    result = OutputError(f"{target}: cannot be written: {reason[:1].lower()}{reason[1:]}")
    result.errno = error.errno
    return result
