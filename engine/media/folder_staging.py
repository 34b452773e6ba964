"""Filling a folder with frames, of which none is seen before all are there."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from secrets import token_hex

from ptfan.engine.atomic import check_room, end_of_links, fitting_name, output_error
from ptfan.engine.errors import OutputError, OutputExistsError
from ptfan.engine.media.png_mark import is_marked
from ptfan.engine.media.staging import Staging

__all__ = ["FolderStaging", "frame_name"]

_FRAME = re.compile(r"\d{6,}\.png")
_HIDDEN = ".ptfan-"
"""How the hidden folders begin; one that a killed run left in a folder of results is passed over."""


class FolderStaging(Staging):
    """A folder of frames under a hidden name, until it is done.

    A folder that exists already is never renamed itself, as it may be a mount point or the working directory, or lie
    where nothing else may be written: the hidden one is made inside it, and only its frames are replaced.

    Attributes:
        target: The name that the user gave.
        path: Where to write meanwhile, with names from `frame_name` or with marks; not made yet.
    """

    def __init__(self, target: Path, *, overwrite: bool) -> None:
        """Check that the target can be written.

        Raises:
            OutputExistsError: It holds frames that may not be replaced, or anything else.
            OutputError: It is a file, or it or its folder cannot be written to.
        """
        self.target, self._overwrite, self._place = target, overwrite, end_of_links(target).absolute()
        if self._place.exists() and not self._place.is_dir():
            raise OutputError(f"{target}: is a file, expected a folder for PNG files")
        folder = self._place if self._place.is_dir() else self._place.parent
        self.path = folder / fitting_name(f"{_HIDDEN}{self._place.name}", f".{token_hex(8)}")
        check_room(target, folder)
        try:
            self._check("exists already; give --overwrite to replace its frames, or another name")
        except PermissionError as error:
            raise output_error(target, error) from error

    def _check(self, taken: str) -> None:
        """Refuse to replace frames without leave, saying so in these words, and whatever is no frame in any case."""
        others, frames = _contents(self._place)
        if others:
            raise OutputExistsError(
                f"{self.target}: holds {others[0]}, and only a folder with nothing but frames of ptfan's, such as "
                f"{frame_name(0)}, is replaced; give a new or empty folder, or the name of a video"
            )
        if frames and not self._overwrite:
            raise OutputExistsError(f"{self.target}: {taken}")

    def _land(self) -> None:
        self._check("has got frames during the run, and they are not replaced")
        if self._place.is_dir():
            self._swap()
        else:
            self.path.rename(self._place)

    def _swap(self) -> None:
        """Put the frames where the older ones are; when one cannot be moved, all go back."""
        aside = self.path.with_name(fitting_name(self.path.name, ".old"))
        aside.mkdir()
        moves = [(frame, aside / frame.name) for frame in _contents(self._place)[1]]
        moves += [(frame, self._place / frame.name) for frame in self.path.iterdir()]
        done = []
        try:
            for old, new in moves:
                old.rename(new)
                done.append((old, new))
        except BaseException:
            for old, new in reversed(done):
                new.rename(old)
            aside.rmdir()
            raise
        shutil.rmtree(aside, ignore_errors=True)
        self.discard()

    def _keep_in(self, folder: Path) -> Path:
        """Move to a name beside the folder; into it, where it is a mount point or nothing may be written beside it."""
        try:
            return super()._keep_in(folder)
        except OSError:
            if not self._place.is_dir():
                raise
            return super()._keep_in(self._place)

    def _may_replace(self, partial: Path) -> bool:
        older = partial.is_dir() and not partial.is_symlink()
        return not _contents(partial)[0] if older else not os.path.lexists(partial)

    def _move(self, partial: Path) -> None:
        """Move to a name; an older part is put aside, and removed once this one stands."""
        aside = self.path.with_name(fitting_name(self.path.name, ".old"))
        if not partial.is_dir():
            self.path.rename(partial)
            return
        partial.rename(aside)
        try:
            self.path.rename(partial)
        except OSError:
            aside.rename(partial)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def frame_name(index: int) -> str:
    """Return the name of a frame's file: `000000.png` for the first."""
    return f"{index:06d}.png"


def _contents(folder: Path) -> tuple[list[str], list[Path]]:
    """List the names of what is no frame of ours in a folder, and our frames; nothing where there is no folder."""
    if not folder.is_dir():
        return [], []
    found = sorted(path for path in folder.iterdir() if not path.name.startswith(_HIDDEN))
    frames = [path for path in found if _is_frame(path)]
    ours = set(frames)
    return [path.name for path in found if path not in ours], frames


def _is_frame(path: Path) -> bool:
    """Tell whether a file is a frame of ours: by its name, or where it is named after an input's image by its mark."""
    return path.is_file() and (bool(_FRAME.fullmatch(path.name)) or (path.suffix == ".png" and is_marked(path)))
