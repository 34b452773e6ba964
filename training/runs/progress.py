"""How far a training is: a bar on a terminal, a line for each entry of the log elsewhere; to standard error."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ptfan.engine.progress import tell
from ptfan.training.runs.headline import Headline

__all__ = ["TrainingProgress", "progress_line"]


class TrainingProgress:
    """Shows where a run stands."""

    def __init__(self, steps: int, first_step: int, headline: Headline, *, terminal: bool | None = None) -> None:
        """Begin at `first_step` of `steps`; `terminal` is found out by itself."""
        self._headline = headline
        self._steps, self._first, self._before = steps, first_step, 0.0
        self._bar = None
        if sys.stderr.isatty() if terminal is None else terminal:
            columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task("training", total=steps, completed=first_step, told="")
            self._bar.start()

    def advance(self, step: int, seconds: float, measures: dict[str, float]) -> None:
        """Tell that `step` steps are done, the seconds that this session has taken, and what the last step brought."""
        if self._bar is not None:
            told = f"{self._headline.tell(measures)}, {_pace(self._steps, step, step - self._first, seconds)}"
            self._bar.update(self._task, completed=step, told=told)

    def entry(self, entry: dict[str, float], seconds: float) -> None:
        """Show an entry of the log; `seconds` are those of this session."""
        if self._bar is None:
            tell(progress_line(entry, self._headline, self._steps, int(entry["step"]) - self._first, seconds))

    def close(self) -> None:
        """Stop showing."""
        if self._bar is not None:
            with suppress(OSError):  # The terminal may be gone.
                self._bar.stop()


def progress_line(entry: dict[str, float], headline: Headline, steps: int, done: int, seconds: float) -> str:
    """Return one line for people: where the run stands, how good the network is, and the time left.

    Args:
        entry: an entry of the log.
        headline: the measure to tell.
        steps: steps in the whole run.
        done: steps of this session.
        seconds: the time they took.
    """
    step = int(entry["step"])
    return f"step {step}/{steps}: loss {entry['loss']:.4f}, {headline.tell(entry)}, {_pace(steps, step, done, seconds)}"


def _pace(steps: int, step: int, done: int, seconds: float) -> str:
    pace = seconds / max(1, done)
    return f"{pace:.2f} s a step, {timedelta(seconds=round(pace * (steps - step)))} left"
