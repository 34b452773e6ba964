"""Standard output, where it takes pictures rather than text."""

from __future__ import annotations

import sys
from typing import BinaryIO

from ptfan.engine.errors import OutputError

__all__ = ["standard_output"]


def standard_output() -> BinaryIO:
    """Return standard output as it takes bytes.

    Raises:
        OutputError: it is a terminal, or closed.
    """
    if sys.__stdout__ is None:  # `sys.stdout` may lead nowhere instead
        raise OutputError("standard output: is closed; send it to a program or a file")
    if sys.stdout.isatty():
        raise OutputError("standard output: is a terminal; send it to a program or a file")
    return sys.stdout.buffer
