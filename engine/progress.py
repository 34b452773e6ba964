"""How far a run is: a bar on a terminal, a line now and then elsewhere. All of it goes to standard error."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TextIO

from ptfan.engine.timecode import format_seconds

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["BarProgress", "LineProgress", "NoProgress", "Progress", "choose_progress", "running", "tell"]

LINE_SECONDS = 5.0
"""How often a plain line is written."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys rather than shows, and what turns the order of letters."""


class Progress(Protocol):
    """Is told of every frame, or whatever else is counted, that is done.

    `advance` comes from any one thread, which may be another than that of `start` and `finish`.
    """

    def start(self, name: str, total: int | None, unit: str = "frames") -> None:
        """Begin a run: what is shown as its name, how many frames it has if that is known, or of what else."""

    def advance(self) -> None:
        """Count one more as done."""

    def finish(self) -> None:
        """End the run; harmless when repeated or before `start`."""


class NoProgress:
    """Says nothing."""

    def start(self, name: str, total: int | None, unit: str = "frames") -> None:
        """Say nothing."""

    def advance(self) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


class LineProgress:
    """Writes a plain line every few seconds.

    Args:
        stream: Where to; standard error without it.
        every: Seconds between two lines.
    """

    def __init__(self, stream: TextIO | None = None, every: float = LINE_SECONDS) -> None:
        self._stream = stream
        self._every = every
        self._name, self._unit, self._total, self._done = "", "", None, 0  # type: str, str, int | None, int
        self._begin = self._last = 0.0

    def start(self, name: str, total: int | None, unit: str = "frames") -> None:
        """Begin to count."""
        self._name, self._unit, self._total, self._done = name, unit, total, 0
        self._begin = self._last = time.monotonic()

    def advance(self) -> None:
        """Count, and write a line when it is time."""
        self._done += 1
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            tell(self._line(now - self._begin), self._stream)

    def finish(self) -> None:
        """Stop counting."""

    def _line(self, seconds: float) -> str:
        speed = self._done / max(seconds, 1e-9)
        if self._total is None:
            return f"{self._name}: {self._done} {self._unit}, {speed:.1f} {self._unit}/s"
        left = format_seconds(max(self._total - self._done, 0) / speed)
        share = 100 * self._done // max(self._total, 1)
        count = f"{self._done}/{self._total} {self._unit} ({share} %)"
        return f"{self._name}: {count}, {speed:.1f} {self._unit}/s, {left} left"


class BarProgress:
    """Draws a bar with frames, frames a second and time left."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def start(self, name: str, total: int | None, unit: str = "frames") -> None:
        """Draw the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.finish()
        speed = TextColumn("{task.fields[speed]:>5.1f} " + f"{unit}/s")
        left = TimeRemainingColumn(compact=True, elapsed_when_finished=True) if total else TimeElapsedColumn()
        described = TextColumn("{task.description}", markup=False)
        columns = (described, BarColumn(), MofNCompleteColumn(), speed, left)
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(_visible(name), total=total, speed=0.0)
        self._bar.start()

    def advance(self) -> None:
        """Move the bar on by a frame."""
        if self._bar is None or self._task is None:
            return
        task = self._bar.tasks[0]
        self._bar.update(self._task, advance=1, speed=(task.completed + 1) / max(task.elapsed or 0.0, 1e-3))

    def finish(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            with suppress(OSError):  # The terminal may be gone.
                self._bar.stop()
        self._bar = self._task = None


def tell(line: str, stream: TextIO | None = None) -> None:
    """Write one line, to standard error without a stream. Its reader may be gone; the run still has work to save.

    It may hold names that strangers gave: a terminal shows them, and obeys nothing in them.
    """
    with suppress(OSError):
        print(_visible(line), file=stream or sys.stderr, flush=True)


def _visible(text: str) -> str:
    """Return a text with control characters written out, as Python writes them."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


@contextmanager
def running(progress: Progress, name: str, total: int | None, unit: str = "frames") -> Iterator[None]:
    """Show a run for as long as the context lives; see `Progress.start`."""
    progress.start(name, total, unit)
    try:
        yield
    finally:
        progress.finish()


def choose_progress(*, quiet: bool) -> Progress:
    """Return what suits: nothing when quiet, a bar on a terminal, plain lines elsewhere."""
    if quiet:
        return NoProgress()
    return BarProgress() if sys.stderr.isatty() else LineProgress()
