from __future__ import annotations

from fractions import Fraction
from typing import Any

from ptfan.engine.media.chapters import cut_chapters
from ptfan.engine.media.output_time import OutputTime


def _chapter(start: int, end: int) -> dict[str, Any]:
    return {"id": 9, "start": start, "end": end, "time_base": Fraction(1, 10), "metadata": {"title": f"{start}"}}


def _times(chapters: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(chapter["start"], chapter["end"]) for chapter in chapters]


ALL = [_chapter(0, 50), _chapter(50, 80), _chapter(80, 120)]


def test_without_a_cut_they_stay():
    assert cut_chapters(ALL, OutputTime(Fraction(0), False, None)) == [
        dict(chapter, id=index) for index, chapter in enumerate(ALL)
    ]


def test_a_cut_drops_and_shortens_them():
    kept = cut_chapters(ALL, OutputTime(Fraction(6), True, Fraction(3)))
    assert _times(kept) == [(0, 20), (20, 30)]
    assert [chapter["metadata"]["title"] for chapter in kept] == ["50", "80"]


def test_a_shift_alone_moves_them():
    assert _times(cut_chapters(ALL, OutputTime(Fraction(-1, 10), False, None))) == [(1, 51), (51, 81), (81, 121)]
