"""Runs that repeat are recorded once and launched as a whole: a hundred small kernels then cost one launch."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from ptfan.engine.errors import BackendError
from ptfan.engine.runners.runner import warn_no_graphs
from ptfan.engine.runners.trt.device import Device

__all__ = ["Launches", "Recorder"]

MOST = 128
"""Sets of addresses that are remembered. Those of a step model come round again after a dozen steps, and some batches
of one size take turns. What has not come for the longest time is forgotten: another scene has other addresses."""


class Recorder:
    """Records work on a device for as long as that works."""

    def __init__(self, device: Device, name: str) -> None:
        """Record on a device; the name is for a warning where that cannot be."""
        self._device, self._name = device, name
        self.works = True
        """Whether work can be recorded, as far as is known."""

    def record(self, work: Callable[[], None]) -> Callable[[], object] | None:
        """Return what launches some work as a whole; None where that cannot be."""
        if not self.works:
            return None
        try:
            return self._device.record(work)
        except BackendError as error:
            # Something in it waits or allocates, which a recording must not: it runs as before, launch by launch.
            self.works = False
            warn_no_graphs(self._name, str(error))
            return None


class Launches:
    """Work by what tells it apart; the second time that it comes it is recorded."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._known: dict[Hashable, Callable[[], object] | None] = {}

    def run(self, key: Hashable, work: Callable[[], None], *, ready: bool = True) -> None:
        """Queue some work; before the next, all that was queued must be done.

        Args:
            key: the same for the same work with the same addresses.
            work: queues it.
            ready: it may be recorded by now.
        """
        came_before = ready and key in self._known
        launch = self._known.pop(key, None)
        if came_before and launch is None:
            launch = self._recorder.record(work)
        (launch or work)()
        self._known[key] = launch  # as the newest
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]
