"""The chapters of a video."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from ptfan.engine.media.output_time import OutputTime

__all__ = ["cut_chapters"]


def cut_chapters(chapters: Iterable[Any], output: OutputTime) -> list[dict[str, Any]]:
    """Move chapters to an output's time, and keep those that lie in it.

    Args:
        chapters: The chapters of the whole video, in PyAV's form.
        output: The output's time.

    Returns:
        Chapters in the same form, numbered anew.
    """
    kept: list[dict[str, Any]] = []
    for chapter in chapters:
        base = chapter["time_base"] or Fraction(1)
        first, last = chapter["start"] * base - output.shift, chapter["end"] * base - output.shift
        first = max(first, Fraction(0)) if output.cut else first
        last = last if output.end is None else min(last, output.end)
        if first < last:
            times = {"start": round(first / base), "end": round(last / base)}
            kept.append({**chapter, **times, "id": len(kept), "time_base": base})
    return kept
