"""What a run tells on its way: where it goes, and what is kept of it for a report."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from ptfan.engine.redaction import redacted

__all__ = ["Notices", "Warn", "log_warning"]

Warn = Callable[[str], None]
"""Takes one line of warning."""


def log_warning(line: str) -> None:
    """Hand a line to the logger `ptfan`, for callers who gave no function of their own."""
    logging.getLogger("ptfan").warning(line)


class Notices:
    """Takes a line, as `Warn` does, and keeps it; no password of an address in it goes further.

    Args:
        warn: Is handed every line.
        most: How many of the last lines are kept; all without it.
    """

    def __init__(self, warn: Warn, most: int | None = None) -> None:
        self._warn = warn
        self._lines: deque[str] = deque(maxlen=most)

    @property
    def lines(self) -> tuple[str, ...]:
        """What was told, in order."""
        return tuple(self._lines)

    def __call__(self, line: str) -> None:
        """Hand a line on, and keep it."""
        line = redacted(line)
        self._lines.append(line)
        self._warn(line)
