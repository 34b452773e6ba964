"""The chapters of a video."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

__all__ = ["cut_chapters"]


def cut_chapters(chapters: Iterable[Any], shift: Fraction, cut: bool, end: Fraction | None) -> list[dict[str, Any]]:
    """Move chapters to an output's time, and keep those that lie in it.

    Args:
        chapters: The chapters of the whole video, in PyAV's form.
        shift: Seconds to take off all times.
        cut: Whether what comes before the output's time 0 is left out.
        end: Time of the output, in seconds, where it ends; None when it ends with the video.

    Returns:
        Chapters in the same form, numbered anew.
    """
    kept: list[dict[str, Any]] = []
    for chapter in chapters:
        base = chapter["time_base"] or Fraction(1)
        first, last = chapter["start"] * base - shift, chapter["end"] * base - shift
        first = max(first, Fraction(0)) if cut else first
        last = last if end is None else min(last, end)
        if first < last:
            times = {"start": round(first / base), "end": round(last / base)}
            kept.append({**chapter, **times, "id": len(kept), "time_base": base})
    return kept
