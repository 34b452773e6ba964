"""How far an evaluation is, with the time left: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from ptfan.engine.progress import tell
from ptfan.engine.timecode import format_seconds

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["EvaluationProgress"]

LINE_SECONDS = 10.0
"""How often a plain line is written."""


class EvaluationProgress:
    """Counts results; all of it goes to standard error. A context manager."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        """Count up to `total` results."""
        self._total, self._stream = total, stream or sys.stderr
        self._done = self._kept = 0
        self._begin = self._last = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> EvaluationProgress:
        if self._stream.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(file=self._stream), transient=True)
            self._bar.add_task("evaluating", total=self._total)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            with suppress(OSError):  # The terminal may be gone.
                self._bar.stop()

    def advance(self, what: str, *, kept: bool = False) -> None:
        """Count one more result; one that was kept from before takes no time."""
        self._done += 1
        self._kept += kept
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=1, description=what)
            return
        now = time.monotonic()
        if not kept and (now - self._last >= LINE_SECONDS or self._done == self._total):
            self._last = now
            tell(self._line(what, now - self._begin), self._stream)

    def _line(self, what: str, seconds: float) -> str:
        pace = seconds / max(self._done - self._kept, 1)
        left = format_seconds(pace * (self._total - self._done))
        return f"{self._done}/{self._total} results, {left} left: {what}"
