"""Where warnings of the media layer go."""

from __future__ import annotations

import logging
from collections.abc import Callable

__all__ = ["Warn", "log_warning"]

Warn = Callable[[str], None]
"""Takes one line of warning."""


def log_warning(line: str) -> None:
    """Hand a line to the logger `ptfan`, for callers who gave no function of their own."""
    logging.getLogger("ptfan").warning(line)
