"""Ctrl-C and friends: the first one asks to stop, the second one quits."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["EXIT_INTERRUPTED", "STOPPING", "signals_quit", "stop_on_signals"]

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
    stopper = _Stopper()
    wanted = [number for number in STOPPING if number != _HANG_UP or signal.getsignal(number) != signal.SIG_IGN]
    with _handled(wanted, stopper):
        yield stopper.stop


@contextmanager
def signals_quit() -> Iterator[None]:
    """Let signals that would set an event of `stop_on_signals` end the process at once, as long as the context lives.

    For calls that hold Python up, in which no handler runs. Nothing happens where the handlers are not those of
    `stop_on_signals`, or outside the main thread.
    """
    ours = [number for number in STOPPING if isinstance(signal.getsignal(number), _Stopper)]
    with _handled(ours if threading.current_thread() is threading.main_thread() else (), signal.SIG_DFL):
        yield


_HANG_UP = getattr(signal, "SIGHUP", None)


class _Stopper:
    """The handler: sets an event, and quits when it is set."""

    def __init__(self) -> None:
        self.stop = threading.Event()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.stop.is_set() and number != _HANG_UP:
            os._exit(EXIT_INTERRUPTED)
        self.stop.set()
        with suppress(OSError):  # The terminal may be gone.
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"\nptfan: stopping (again to quit at once)\n")


@contextmanager
def _handled(
    numbers: Iterable[int], handler: Callable[[int, FrameType | None], None] | signal.Handlers
) -> Iterator[None]:
    """Handle signals so as long as the context lives, and as before after it."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
