from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ptfan.engine.frame import Frame
from ptfan.engine.prepare.carry_rules import SURE
from ptfan.engine.prepare.completions import Completions
from ptfan.engine.prepare.crop import CropRules
from ptfan.engine.prepare.preparer import Preparer, PreparerSettings
from ptfan.engine.prepare.remembered_colours import RememberedColours

SHAPE = (6, 8)


class Counting:
    """Adds to every picture how often it has been called, and keeps what it was given."""

    def __init__(self) -> None:
        self.calls: list[list[float]] = []

    def __call__(self, pictures: Sequence[Any], confidences: Sequence[Any], holes: Sequence[Any]) -> list[Any]:
        assert len(pictures) == len(confidences) == len(holes)
        self.calls.append([float(picture[0, 0, 0]) for picture in pictures])
        return [picture + np.float32(len(self.calls)) for picture in pictures]


def _pictures(numbers: Sequence[int]) -> list[Any]:
    return [np.full((*SHAPE, 3), number, np.float32) for number in numbers]


def _planes(count: int, value: float = 0.0) -> list[Any]:
    return [np.full(SHAPE, value, np.float32) for _ in range(count)]


HOLES = [np.ones(SHAPE, np.bool_)] * 4


def test_a_neighbour_is_made_up_once_until_it_is_asked_for() -> None:
    colours = Counting()
    remembered = RememberedColours(colours)
    first = remembered.of(10, 11)(_pictures([10, 11, 12, 13]), _planes(4), HOLES)
    assert [picture[0, 0, 0] for picture in first] == [11, 12, 13, 14]
    second = remembered.of(11, 12)(_pictures([11, 12, 13, 14]), _planes(4), HOLES)
    assert colours.calls == [[10, 11, 12, 13], [11, 14]]  # 11 is asked for, 14 is new
    assert [picture[0, 0, 0] for picture in second] == [13, 13, 14, 16]
    third = remembered.of(12, 13)(_pictures([12, 13, 14]), _planes(3), HOLES[:3])
    assert colours.calls[2:] == [[12]]
    assert [picture[0, 0, 0] for picture in third] == [15, 14, 16]


@pytest.mark.parametrize("confidence", [0.2, 1.0])
def test_what_is_known_by_now_takes_the_guesss_place(confidence: float) -> None:
    remembered = RememberedColours(Counting())
    made = remembered.of(0, 1)(_pictures([0, 1]), _planes(2), HOLES[:2])[1]
    again = remembered.of(0, 1)(_pictures([0, 5]), _planes(2, confidence), HOLES[:2])[1]
    sure = min(1.0, SURE * confidence)
    np.testing.assert_allclose(again, (1 - sure) * made + sure * 5, rtol=1e-6)


def test_a_stream_that_moves_on_by_a_frame_asks_for_two_pictures_a_frame() -> None:
    asked: list[int] = []

    class Unchanged:
        def __call__(self, pictures: Sequence[Any], confidences: Sequence[Any], holes: Sequence[Any]) -> list[Any]:
            asked.append(len(pictures))
            return list(pictures)

    hole = np.zeros((64, 64), np.bool_)
    hole[20:40, 20:40] = True
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    settings = PreparerSettings(
        window=5, stride=1, ahead=4, lead=1, beyond=False, rules=CropRules(), fill="propagated", scene_cuts=False
    )
    preparer = Preparer(settings, Completions(colours=Unchanged()))
    for _ in range(10):
        preparer.push(Frame(image, hole))
    assert len(asked) == 6
    assert asked[0] == 4
    assert asked[1:] == [2] * 5
