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
    """Items, of which none is None, in order from one thread to another.

    Args:
        capacity: How many items may wait in it; with 0 the sender waits until its item is taken.
        newest_wins: Drop the oldest where there is no room, rather than let the sender wait.
    """

    def __init__(self, capacity: int, *, newest_wins: bool = False) -> None:
        self._capacity, self._newest_wins = capacity, newest_wins
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._cancelled = False

    @property
    def ended(self) -> bool:
        """Whether nothing waits and nothing will come."""
        with self._changed:
            return self._closed and not self._items

    def put(self, item: Item) -> list[Item]:
        """Append an item; wait while the channel is full, unless the newest wins.

        Returns:
            What was dropped for want of room; after `close` the item itself, as nobody waits for it.

        Raises:
            Cancelled: `cancel` was called.
        """
        with self._changed:
            room = max(1, self._capacity)
            if not self._newest_wins:
                self._changed.wait_for(lambda: self._over or len(self._items) < room)
            if self._cancelled:
                raise Cancelled
            if self._closed:
                return [item]
            dropped = [self._items.popleft() for _ in range(len(self._items) - room + 1)]
            self._items.append(item)
            self._changed.notify_all()
            if self._capacity == 0:
                self._changed.wait_for(lambda: self._over or not self._items)
            return dropped

    def get(self, timeout: float | None = None) -> Item | None:
        """Take the oldest item; None where none comes within so many seconds, or none will.

        Raises:
            Cancelled: `cancel` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._items, timeout)
            if self._cancelled:
                raise Cancelled
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Say, from either side, that no item follows; those that wait are still delivered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Drop what waits, and let both sides know."""
        with self._changed:
            self._cancelled = True
            self._items.clear()
            self._changed.notify_all()

    @property
    def _over(self) -> bool:
        return self._closed or self._cancelled

    def __iter__(self) -> Iterator[Item]:
        """Take items until the channel is closed and empty.

        Raises:
            Cancelled: `cancel` was called.
        """
        while (item := self.get()) is not None:
            yield item
            del item  # Or it would live until the next one comes.
