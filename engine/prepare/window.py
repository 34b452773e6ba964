"""Windowed inference: which frames go through the network together, and which results are kept."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from ptfan.engine.errors import InputError

__all__ = ["WindowOf", "Windower"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class WindowOf(Generic[Item]):
    """Consecutive items that are computed together."""

    items: tuple[Item, ...]
    """The window, oldest first."""
    keep: range
    """Positions in `items` whose results are kept; the windows of a stream keep every item exactly once, in order."""


class Windower(Generic[Item]):
    """Cuts a stream into overlapping windows (PTFAN, section 4): 15 frames, of which 3 to 11 are kept, for instance.

    A stream's first window also keeps its first frames, the last its last ones. The last window reaches back so that
    it has the full length where the stream is long enough.

    With `ahead`, items do not wait longer than for so many others: a stream's first windows are then shorter.
    """

    def __init__(self, window: int, stride: int, ahead: int | None = None) -> None:
        """Set the window's length and how far it moves.

        Args:
            window: items in a window.
            stride: items that are kept of each.
            ahead: items at a window's end that are not kept; half of those that are not without it.

        Raises:
            InputError: the stride is not within 1 to window, or the window has no room for `ahead`.
        """
        if not 1 <= stride <= window:
            raise InputError(f"stride is {stride}, expected 1 to window ({window})")
        if ahead is not None and not 0 <= ahead <= window - stride:
            raise InputError(f"frames ahead are {ahead}, expected 0 to {window - stride} for {stride} of {window}")
        self._items: deque[Item] = deque(maxlen=window)
        self._margin = (window - stride) // 2 if ahead is None else ahead
        self._eager = ahead is not None
        self._stride = stride
        self._waiting = 0

    def push(self, item: Item) -> WindowOf[Item] | None:
        """Take the next item; return a window when one is complete."""
        self._items.append(item)
        self._waiting += 1
        whole = len(self._items) == self._items.maxlen
        if not (whole or self._eager) or self._waiting < self._stride + self._margin:
            return None
        return self._take(len(self._items) - self._margin)

    def flush(self) -> WindowOf[Item] | None:
        """End the stream: return the last window, if any item still waits, and start afresh."""
        last = self._take(len(self._items)) if self._waiting else None
        self._items.clear()
        self._waiting = 0
        return last

    def _take(self, end: int) -> WindowOf[Item]:
        keep = range(len(self._items) - self._waiting, end)
        self._waiting -= len(keep)
        return WindowOf(tuple(self._items), keep)
