"""Small files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ptfan.engine.errors import OutputError, OutputExistsError

__all__ = ["check_target", "replacing", "write_atomically"]


def check_target(path: Path, *, overwrite: bool) -> None:
    """Check that a file can be written, before the work that it is to hold.

    Raises:
        OutputExistsError: it exists and may not be overwritten.
        OutputError: its folder is not there or cannot be written to, or it is a folder itself.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path}: exists already; give --overwrite to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path}: its folder {path.parent} cannot be written to; give another name")


def write_atomically(path: Path, content: bytes, *, overwrite: bool = True) -> None:
    """Write a file beside its name and move it into place when it is complete.

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

    Raises:
        OutputError: it cannot be written; an older file stays.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            yield file
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # mkstemp makes files that only their owner may read.
        Path(temporary).replace(path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
        raise
