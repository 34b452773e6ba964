"""Lists in messages."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["listed"]


def listed(items: Sequence[object], most: int) -> str:
    """Return items with commas between; of more than so many the first ones, and that there are more."""
    return ", ".join(map(str, items[:most])) + (" and more" if len(items) > most else "")
