from __future__ import annotations

import numpy as np
import pytest

from ptfan.engine.pictures.sheet import GAP, TITLE_HEIGHT
from ptfan.engine.verify.worst_frame import CONTEXT, WIDEST, WorstFrame


@pytest.mark.parametrize(("error", "shown"), [(0.003, 0.003 * 100 * 255), (0.0, 0), (0.5, 0.5 * 255), (2.0, 255)])
def test_the_difference_is_amplified_without_being_clipped(error: float, shown: float) -> None:
    hole = np.zeros((100, 600), bool)
    hole[40:60, 100:500] = True
    reference = np.full((100, 600, 3), 0.25, np.float32)
    answer = reference.copy()
    answer[50, 300] += error
    picture = WorstFrame(3, 0.1, hole, answer, reference).picture()
    width, height = 400 + 2 * CONTEXT, 20 + 2 * CONTEXT
    assert picture.shape == (TITLE_HEIGHT + height + GAP, 3 * width + 2 * GAP, 3)
    difference = picture[TITLE_HEIGHT:-GAP, 2 * (width + GAP) :]
    assert difference[CONTEXT + 10, CONTEXT + 200] == pytest.approx(shown, abs=1)
    assert (difference[: CONTEXT - 1] == 0).all()


def test_a_small_hole_is_enlarged_and_one_at_the_border_is_shown_to_it() -> None:
    hole = np.zeros((80, 90), bool)
    hole[:16, :32] = True
    grey = np.full((80, 90, 3), 0.25, np.float32)
    picture = WorstFrame(0, 0.0, hole, grey, grey).picture()
    width, height = 32 + CONTEXT, 16 + CONTEXT
    scale = WIDEST // width
    assert picture.shape == (TITLE_HEIGHT + height * scale + GAP, 3 * width * scale + 2 * GAP, 3)


def test_what_is_not_a_number_is_drawn_black() -> None:
    hole = np.ones((8, 8), bool)
    grey = np.full((8, 8, 3), 0.25, np.float32)
    picture, black = (WorstFrame(0, 0.0, hole, np.full_like(grey, value), grey).picture() for value in (np.nan, 0))
    np.testing.assert_array_equal(picture, black)
