"""Libraries that are told to keep their advice to themselves."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]


@contextmanager
def quiet(logger: str | None = None) -> Iterator[None]:
    """Let a logger (the root, if None) pass on errors alone for as long as the context lives."""
    told = logging.getLogger(logger)
    level = told.level
    told.setLevel(logging.ERROR)
    try:
        yield
    finally:
        told.setLevel(level)
