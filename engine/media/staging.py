"""Writing beside a name, and moving into place only what is complete."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from ptfan.engine.errors import OutputError, OutputExistsError

__all__ = ["Staging", "output_error"]


class Staging:
    """An output under a hidden name in the same folder, a file or a folder, until it is done.

    Attributes:
        target: The name that the user gave.
        path: Where to write meanwhile; keeps the extension.
    """

    def __init__(self, target: Path, *, overwrite: bool) -> None:
        """Check that the target can be written.

        Raises:
            OutputExistsError: It exists, and may not be replaced.
            OutputError: Its folder is not there or cannot be written to.
        """
        self.target = target
        folder = target.absolute().parent
        self.path = folder / f".{target.stem}.{os.getpid():x}{id(self):x}{target.suffix}"
        if not folder.is_dir():
            raise OutputError(f"{target}: its folder {folder} does not exist; make it first")
        if not os.access(folder, os.W_OK):
            raise OutputError(f"{target}: its folder {folder} cannot be written to (permission denied)")
        if _is_taken(target) and not overwrite:
            raise OutputExistsError(f"{target}: exists already; give --overwrite to replace it, or another name")

    def commit(self) -> None:
        """Move what was written into place; an older output is replaced.

        Raises:
            OutputError: It cannot be moved; the older output stays.
        """
        try:
            self._move(self.target)
        except OSError as error:
            self.discard()
            raise output_error(self.target, error) from error

    def keep(self) -> Path:
        """Move what was written to `NAME.partial.EXT`, which is replaced; return that name."""
        partial = self.target.with_name(f"{self.target.stem}.partial{self.target.suffix}")
        try:
            self._move(partial)
        except OSError as error:
            raise output_error(partial, error) from error
        return partial

    def discard(self) -> None:
        """Remove what was written."""
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            self.path.unlink()

    def _move(self, target: Path) -> None:
        """Move to a name; a folder of that name is put aside, and removed once the new one stands."""
        if not target.is_dir():
            self.path.replace(target)
            return
        aside = self.path.with_name(f"{self.path.name}.old")
        target.rename(aside)
        try:
            self.path.rename(target)
        except OSError:
            aside.rename(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def output_error(target: Path, error: OSError) -> OutputError:
    """Say in one line why an output could not be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    reason = "the disk is full" if full else error.strerror or str(error)
    result = OutputError(f"{target}: cannot be written: {reason[:1].lower()}{reason[1:]}")
    result.errno = error.errno
    return result


def _is_taken(target: Path) -> bool:
    """Tell whether something stands at a name; an empty folder does not count."""
    return any(target.iterdir()) if target.is_dir() else target.exists() or target.is_symlink()
