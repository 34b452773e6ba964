from __future__ import annotations

import numpy as np

from ptfan.engine.pictures.sheet import GAP, TITLE_HEIGHT, side_by_side, titles_above


def test_pictures_keep_their_pixels_under_their_titles() -> None:
    pictures = [np.full((20, 90, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = titles_above(side_by_side(pictures), ("one", "two", "three"))
    assert sheet.shape == (TITLE_HEIGHT + 20 + GAP, 3 * 90 + 2 * GAP, 3)
    for place, picture in enumerate(pictures):
        left = place * (90 + GAP)
        np.testing.assert_array_equal(sheet[TITLE_HEIGHT:-GAP, left : left + 90], picture)
        assert (sheet[:TITLE_HEIGHT, left : left + 90] < 128).any()
    assert (sheet[TITLE_HEIGHT:, 90 : 90 + GAP] == 255).all()
