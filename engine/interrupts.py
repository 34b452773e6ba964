"""Ctrl-C and friends: the first one asks to stop, the second one quits."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["EXIT_INTERRUPTED", "stop_on_signals"]

EXIT_INTERRUPTED = 130
"""The exit status of a run that was stopped: what shells give for Ctrl-C."""


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into an event for as long as the context lives; main thread only.

    The second signal ends the process at once, with status 130 and without tidying up.

    Yields:
        The event that the first signal sets.
    """
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(EXIT_INTERRUPTED)
        stop.set()
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"\nptfan: stopping (again to quit at once)\n")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
