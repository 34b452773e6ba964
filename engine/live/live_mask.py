"""A mask file that may be replaced while the stream runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ptfan.engine.closing import Closing
from ptfan.engine.errors import PtfanError
from ptfan.engine.frame import Mask
from ptfan.engine.masks.source import MaskSource
from ptfan.engine.media import Sample, StreamInfo
from ptfan.engine.notices import Warn

__all__ = ["LiveMask"]

State = tuple[int, int, int]
"""What changes when a file is replaced: its number, size and time of change."""


class LiveMask(Closing):
    """The holes of a live stream. A new mask holds from the next frame on; one that cannot be used changes nothing.

    Args:
        path: The file that is watched; None where there is none: an array or boxes alone.
        opened: Opens the mask as it is now.
        warn: Takes a line about a mask that was taken up, or refused.

    Raises:
        InputError: The mask cannot be used to begin with.
    """

    def __init__(self, path: Path | None, opened: Callable[[], MaskSource], warn: Warn) -> None:
        self._path, self._opened, self._warn = path, opened, warn
        self._state = self._seen()
        self._masks = opened()
        self._first = 0
        self._info: StreamInfo | None = None
        self._followed = False

    def follow(self, info: StreamInfo) -> None:
        """Take note of the source: a mask video of another rate is matched by time, from where it is taken up."""
        self._info = info

    def hole_of(self, sample: Sample) -> Mask:
        """Return the hole (H, W) of the next picture.

        Raises:
            InputError: The first mask does not fit the frames.
        """
        state = self._seen()
        if state is not None and state != self._state:
            self._state = state
            self._take_up(sample)
        if not self._followed and self._info is not None:
            self._masks.follow(replace(self._info, opening=sample.time))
            self._followed = True
        return self._masks.hole_of(replace(sample, index=sample.index - self._first))

    def close(self) -> None:
        """Release the file."""
        self._masks.close()

    def _seen(self) -> State | None:
        """Return the file's state; None while there is none, as between being removed and written again."""
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)

    def _take_up(self, sample: Sample) -> None:
        try:
            masks = self._opened()
        except PtfanError as error:
            self._warn(f"{error}; the mask before stays")
            return
        try:
            masks.hole_of(replace(sample, index=0))
        except PtfanError as error:
            masks.close()
            self._warn(f"{error}; the mask before stays")
            return
        self._masks.close()
        self._masks, self._first, self._followed = masks, sample.index, False
        self._warn(f"mask {self._path}: has changed; the new one holds from frame {sample.index} on")
