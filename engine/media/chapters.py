"""The chapters of a video."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

__all__ = ["cut_chapters"]


def cut_chapters(
    chapters: Iterable[Any], begin: Fraction | None, end: Fraction | None, shift: Fraction
) -> list[dict[str, Any]]:
    """Keep the chapters of a stretch of time, in PyAV's form.

    Args:
        chapters: The chapters of the whole video.
        begin: Time stamp, in seconds, where the stretch begins; None at the beginning of the video.
        end: Time stamp, in seconds, where it ends; None at the end of the video.
        shift: Seconds to take off all times.
    """
    kept: list[dict[str, Any]] = []
    for chapter in chapters:
        base = chapter["time_base"] or Fraction(1)
        first, last = chapter["start"] * base, chapter["end"] * base
        first = first if begin is None else max(first, begin)
        last = last if end is None else min(last, end)
        if first < last:
            times = {"start": round((first - shift) / base), "end": round((last - shift) / base)}
            kept.append({**chapter, **times, "id": len(kept), "time_base": base})
    return kept
