"""What a run tells on its way: handed on at once, and kept for its report."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ptfan.engine.redaction import redacted

__all__ = ["Notices"]


class Notices:
    """Takes a line, as `Warn` does; no password of an address in it goes further.

    Args:
        warn: Is handed every line.
        most: How many of the last lines are kept; all without it.
    """

    def __init__(self, warn: Callable[[str], None], most: int | None = None) -> None:
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
