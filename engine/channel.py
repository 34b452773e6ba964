"""A bounded queue between two threads that can be closed at the end and cancelled in the middle."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["THREAD_PREFIX", "Cancelled", "Channel"]

THREAD_PREFIX = "ptfan-"
"""How the names of the threads at either end begin."""

Item = TypeVar("Item")


class Cancelled(Exception):  # noqa: N818 - not an error, but the order to stop.
    """The other side has given up: stop working."""


class Channel(Generic[Item]):
    """Items in order from one thread to another; whoever is ahead waits.

    Args:
        capacity: How many items may wait in it, 1 or more.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._cancelled = False

    def put(self, item: Item) -> None:
        """Append an item; wait while the channel is full.

        Raises:
            Cancelled: `cancel` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._cancelled or len(self._items) < self._capacity)
            if self._cancelled:
                raise Cancelled
            self._items.append(item)
            self._changed.notify_all()

    def close(self) -> None:
        """Say that no item follows; those that wait are still delivered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Drop what waits, and let both sides know."""
        with self._changed:
            self._cancelled = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        """Take items until the channel is closed and empty.

        Raises:
            Cancelled: `cancel` was called.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._cancelled or self._closed or self._items)
                if self._cancelled:
                    raise Cancelled
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
            del item  # Or it would live until the next one comes.
