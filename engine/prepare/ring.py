"""A ring buffer: fixed slots, allocated once, overwritten in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from ptfan.engine.errors import InputError

__all__ = ["RingBuffer"]

Item = TypeVar("Item")


class RingBuffer(Generic[Item]):
    """The newest `capacity` items, oldest first. Pushing into a full ring overwrites the oldest."""

    def __init__(self, capacity: int) -> None:
        """Allocate the slots.

        Raises:
            InputError: the capacity is below 1.
        """
        if capacity < 1:
            raise InputError(f"ring buffer: capacity is {capacity}, expected 1 or more")
        self._slots: list[Item | None] = [None] * capacity
        self._start = 0
        self._length = 0

    @property
    def capacity(self) -> int:
        """The number of slots."""
        return len(self._slots)

    @property
    def full(self) -> bool:
        """True when the next push overwrites the oldest item."""
        return self._length == self.capacity

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Item:
        if not -self._length <= index < self._length:
            raise IndexError(f"ring buffer: index {index} of {self._length} items")
        item = self._slots[(self._start + index % self._length) % self.capacity]
        assert item is not None  # every slot in reach was pushed to
        return item

    def __iter__(self) -> Iterator[Item]:
        return (self[index] for index in range(self._length))

    def push(self, item: Item) -> None:
        """Write `item` behind the newest."""
        self._slots[(self._start + self._length) % self.capacity] = item
        if self.full:
            self._start = (self._start + 1) % self.capacity
        else:
            self._length += 1

    def clear(self) -> None:
        """Forget every item; the slots stay."""
        self._slots[:] = [None] * self.capacity
        self._start = self._length = 0
