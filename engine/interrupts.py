"""Ctrl-C and friends: the first one asks to stop, the second one quits."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = [
    "EXIT_INTERRUPTED",
    "STOPPING",
    "let_handlers_through",
    "signals_interrupt",
    "signals_quit",
    "stop_on_signals",
]

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
    with _handled(_heeded(), stopper):
        yield stopper.stop


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Let all signals of `STOPPING` raise `KeyboardInterrupt`, as Ctrl-C does, as long as the context lives.

    By themselves the others end a process without tidying up: files made meanwhile would stay, and processes go on.
    SIGHUP stays ignored where it is. Nothing happens outside the main thread.
    """
    main = threading.current_thread() is threading.main_thread()
    with _handled(_heeded() if main else (), signal.default_int_handler):
        yield


@contextmanager
def signals_quit() -> Iterator[None]:
    """Let signals that would set an event of `stop_on_signals` end the process at once, as long as the context lives.

    For calls that hold Python up, in which no handler runs. Nothing happens where the handlers are not those of
    `stop_on_signals`, or outside the main thread.
    """
    ours = [number for number in STOPPING if isinstance(signal.getsignal(number), _Stopper)]
    with _handled(ours if threading.current_thread() is threading.main_thread() else (), signal.SIG_DFL):
        yield


def let_handlers_through(error: BaseException) -> None:
    """Raise an error again if the handler of a signal raised it: Python runs handlers in the midst of any call.

    Args:
        error: what a call of another library ended with, which may be the library's own.
    """
    handlers = [handler for handler in map(signal.getsignal, signal.valid_signals()) if callable(handler)]
    codes = {getattr(handler, "__code__", getattr(type(handler).__call__, "__code__", None)) for handler in handlers}
    if any(frame.f_code in codes for frame, _line in traceback.walk_tb(error.__traceback__)):
        raise error


_HANG_UP = getattr(signal, "SIGHUP", None)


def _heeded() -> list[int]:
    """Return the signals of `STOPPING`, but SIGHUP only where it is not ignored."""
    return [number for number in STOPPING if number != _HANG_UP or signal.getsignal(number) != signal.SIG_IGN]


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
