"""The order in which people number files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

__all__ = ["files_in", "natural_key"]

NaturalKey = tuple[tuple[tuple[int, int, str], ...], str]


def natural_key(name: str) -> NaturalKey:
    """Return a key that sorts names as people do: numbers by value, so that `9.png` comes before `10.png`.

    Numbers come before letters, and letters count alike in upper and lower case, unless names differ by nothing else.
    """
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in parts), name


def files_in(folder: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """List a folder's files of a kind in natural order.

    Hidden ones are passed over, and so are folders, and pipes and devices, which may never end. A link that leads
    nowhere counts: who reads it says so.
    """
    named = (path for path in folder.iterdir() if wanted(path) and path.name[0] != ".")
    found = (path for path in named if path.is_file() or not path.exists())
    return sorted(found, key=lambda path: natural_key(path.name))
