"""Folders that results go to."""

from __future__ import annotations

import os
from pathlib import Path

from ptfan.engine.errors import OutputError

__all__ = ["make_folder"]


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it lies in, unless it is there; before the work whose results it is to hold.

    Raises:
        OutputError: it cannot be made, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); give another folder") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder}: cannot be written to; give another folder")
