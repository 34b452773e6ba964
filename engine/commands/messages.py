"""One line each, to standard error: the command's warnings and errors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ptfan.engine.errors import one_line
from ptfan.engine.progress import tell
from ptfan.engine.redaction import redacted

__all__ = ["say", "say_error", "say_warning", "show_log"]


def say(text: str) -> None:
    """Write a line that is neither warning nor error, without passwords in addresses; standard output is for data.

    Nobody reads it where the terminal was closed: that must not keep a run from saving what it has.
    """
    tell(redacted(text))


def say_warning(text: str) -> None:
    """Write a warning."""
    say(f"ptfan: warning: {one_line(text).removesuffix('.')}")


def say_error(text: str) -> None:
    """Write an error."""
    say(f"ptfan: error: {one_line(text).removesuffix('.')}")


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say_warning(record.getMessage())


@contextmanager
def show_log() -> Iterator[None]:
    """Show what the library logs in the form of our own warnings, for as long as the context lives."""
    logger = logging.getLogger("ptfan")
    handler, propagate = _Handler(logging.WARNING), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
