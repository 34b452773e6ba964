"""Writing beside a name, and moving into place only what is complete."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path
from secrets import token_hex

from ptfan.engine.atomic import check_room, end_of_links, fitting_name, output_error
from ptfan.engine.errors import OutputError, OutputExistsError

__all__ = ["Staging", "partial_name"]


class Staging:
    """An output file under a hidden name in the same folder, until it is done.

    Nobody can guess the name and lay a link there that leads elsewhere.

    A link is followed: what it leads to is written, and the link stays.

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
        # The place is absolute: the working directory may be another one at the end.
        self.target, self._overwrite, self._place = target, overwrite, end_of_links(target).absolute()
        folder = self._place.parent
        self.path = folder / fitting_name(f".{target.stem}", f".{token_hex(8)}{target.suffix}")
        check_room(target, folder)
        if not overwrite and (target.exists() or target.is_symlink()):
            raise OutputExistsError(f"{target}: exists already; give --overwrite to replace it, or another name")

    def commit(self) -> None:
        """Move what was written into place; an older output is replaced where that was allowed.

        Raises:
            OutputExistsError: Something has come under the name meanwhile, and stays.
            OutputError: It cannot be moved; an older output stays. What was written is kept, as the text says.
        """
        try:
            self._land()
        except OSError as error:
            raise self._failure(error) from error

    def keep(self) -> Path:
        """Move what was written to `NAME.partial.EXT`, and return that name.

        An older part is replaced. Where something else has this name, which stays, it is `NAME.partial-2.EXT`.

        Raises:
            OutputError: It cannot be moved.
        """
        try:
            return self._as_given(self._keep_in(self._place.parent))
        except OSError as error:
            raise output_error(partial_name(self.target), error) from error

    def discard(self) -> None:
        """Remove what was written."""
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            self.path.unlink()

    def _land(self) -> None:
        """Take the name; without leave, only if nothing has it."""
        if self._overwrite:
            self.path.replace(self._place)
            return
        try:
            os.link(self.path, self._place)  # Unlike a rename, it never replaces anything.
        except FileExistsError:
            raise
        except OSError as error:  # A file system without hard links.
            if os.path.lexists(self._place):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
            self.path.rename(self._place)
            return
        self.path.unlink()

    def _keep_in(self, folder: Path) -> Path:
        """Move to the first name in a folder that is free for what is kept, and return it."""
        names = (folder / partial_name(self.target, number).name for number in count(1))
        partial = next(name for name in names if self._may_replace(name))
        self._move(partial)
        return partial

    def _as_given(self, path: Path) -> Path:
        """Return what lies beside the output as whoever named that would name it."""
        beside = self.target.parent / path.name
        return beside if beside.absolute() == path else path

    def _may_replace(self, partial: Path) -> bool:
        """Tell whether a name is free for what is kept, or has an older part."""
        return partial.is_file() or not os.path.lexists(partial)

    def _move(self, partial: Path) -> None:
        """Move to where the part is kept."""
        self.path.replace(partial)

    def _failure(self, error: OSError) -> OutputError:
        """Keep what cannot take its place; say both in one line."""
        result = self._reason(error)
        try:
            result.add(f"the result is kept as {self.keep()}")
        except OutputError:
            self.discard()
        return result

    def _reason(self, error: OSError) -> OutputError:
        if isinstance(error, OutputError):
            return error
        if isinstance(error, FileExistsError):
            return OutputExistsError(f"{self.target}: has come into being during the run, and is not replaced")
        return output_error(self.target, error)


def partial_name(target: Path, number: int = 1) -> Path:
    """Return the name under which a part of an output is kept: `NAME.partial.EXT`, and from 2 on with a number."""
    place = end_of_links(target)
    mark = "partial" if number == 1 else f"partial-{number}"
    return place.parent / fitting_name(place.stem, f".{mark}{target.suffix or place.suffix}")
