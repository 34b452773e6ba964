"""Small files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ptfan.engine.errors import OutputError, OutputExistsError

__all__ = ["check_target", "write_atomically"]


def check_target(path: Path, *, overwrite: bool) -> None:
    """Check that a file can be written, before the work that it is to hold.

    Raises:
        OutputExistsError: it exists and may not be overwritten.
        OutputError: its folder is not there, or it is a folder itself.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path}: exists already; give --overwrite to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; make it first")


def write_atomically(path: Path, content: bytes, *, overwrite: bool = True) -> None:
    """Write a file beside its name and move it into place when it is complete.

    Raises:
        OutputExistsError: it exists and may not be overwritten.
        OutputError: it cannot be written; an older file stays.
    """
    check_target(path, overwrite=overwrite)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # mkstemp makes files that only their owner may read.
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
