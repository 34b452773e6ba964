"""Where captured frames wait: a bounded queue, or one place in which the newest frame wins."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Slot"]

Item = TypeVar("Item")


class Slot(Generic[Item]):
    """Between who captures and who computes.

    Args:
        capacity: Items that may wait.
        newest_wins: Drop the oldest where there is no room, rather than let who captures wait.
    """

    def __init__(self, capacity: int, *, newest_wins: bool) -> None:
        self._items: deque[Item] = deque()
        self._capacity, self._newest_wins = capacity, newest_wins
        self._changed = threading.Condition()
        self._closed = False

    @property
    def ended(self) -> bool:
        """Whether nothing waits and nothing will come."""
        with self._changed:
            return self._closed and not self._items

    def put(self, item: Item) -> list[Item]:
        """Append an item; return those that were dropped for it. After `close` it is dropped itself."""
        with self._changed:
            if not self._newest_wins:
                self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
            if self._closed:
                return [item]
            dropped = [self._items.popleft() for _ in range(len(self._items) - self._capacity + 1)]
            self._items.append(item)
            self._changed.notify_all()
            return dropped

    def get(self, timeout: float) -> Item | None:
        """Take the oldest item; None where none comes within so many seconds, or none will."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout)
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Say that no item follows; those that wait can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
