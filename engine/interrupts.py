"""Ctrl-C and friends: the first one asks to stop, the second one quits."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["EXIT_INTERRUPTED", "STOPPING", "stop_on_signals"]

EXIT_INTERRUPTED = 130
"""The exit status of a run that was stopped: what shells give for Ctrl-C."""

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What asks a run to stop: Ctrl-C, `kill`, and a terminal that is closed, where the platform tells."""


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Turn the signals of `STOPPING` into an event for as long as the context lives; main thread only.

    The second signal ends the process at once, with status 130 and without tidying up; but not SIGHUP, as shell and
    system each send one when a terminal is closed. SIGHUP stays ignored where it is, as `nohup` wants it.

    Yields:
        The event that the first signal sets.
    """
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number != hang_up:
            os._exit(EXIT_INTERRUPTED)
        stop.set()
        with suppress(OSError):  # The terminal may be gone.
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"\nptfan: stopping (again to quit at once)\n")

    hang_up = getattr(signal, "SIGHUP", None)
    wanted = [number for number in STOPPING if number != hang_up or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in wanted}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
