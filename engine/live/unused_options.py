"""Which of FFmpeg's options nothing took."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

__all__ = ["UnusedOptions"]

LOGGER = "av.container.output"
"""Where PyAV tells of them, and nowhere else."""


class UnusedOptions:
    """Hears which options an output had no use for, and keeps it out of the log, which would quote secret values.

    A context manager for the thread that writes the header.

    Args:
        names: Of the options that are listened for.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names: list[str] = []
        """Those that nothing took."""
        self._asked, self._thread = tuple(names), threading.get_ident()

    def __enter__(self) -> UnusedOptions:
        logging.getLogger(LOGGER).addFilter(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(LOGGER).removeFilter(self._hear)

    def _hear(self, record: logging.LogRecord) -> bool:
        """Take note of a line; return whether it may go on."""
        told = record.getMessage() if record.thread == self._thread else ""
        unused = [name for name in self._asked if f"{name!r}: " in told]
        self.names += unused
        return not unused
