"""Runs that repeat are recorded once and launched as a whole: a hundred small kernels then cost one launch."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from ptfan.engine.errors import BackendError
from ptfan.engine.trt.device import Device

__all__ = ["Launches"]

MOST = 32
"""Recordings that are kept: a step model's addresses come round again after fewer steps. Where they do not, none is
made."""


class Launches:
    """Work by what tells it apart; the second time that it comes it is recorded."""

    def __init__(self, device: Device) -> None:
        """Record on a device."""
        self._device = device
        self._seen: set[Hashable] = set()
        self._recorded: dict[Hashable, Callable[[], object]] = {}
        self._works = True

    @property
    def count(self) -> int:
        """How many recordings there are."""
        return len(self._recorded)

    def forget(self) -> None:
        """Drop all recordings: shapes have changed, and what was recorded holds for the old ones alone."""
        self._seen.clear()
        self._recorded.clear()

    def run(self, key: Hashable, work: Callable[[], None]) -> None:
        """Queue some work.

        Args:
            key: the same for the same work with the same addresses.
            work: queues it.
        """
        if self._works and key in self._seen and key not in self._recorded:
            self._record(key, work)
        self._recorded.get(key, work)()
        if len(self._seen) < MOST:
            self._seen.add(key)

    def _record(self, key: Hashable, work: Callable[[], None]) -> None:
        try:
            self._recorded[key] = self._device.record(work)
        except BackendError:
            # Something in it waits or allocates, which a recording must not: it runs as before, launch by launch.
            self._works = False
