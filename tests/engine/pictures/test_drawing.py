"""Drawings leave all else of the picture as it was."""

from __future__ import annotations

import numpy as np

from ptfan.engine.frame import Box
from ptfan.engine.pictures.drawing import CROP_COLOUR, DARK, TINT, draw_crops, draw_grid, draw_mask

GREY = np.full((40, 60, 3), 128, np.uint8)


def hole(box: Box) -> np.ndarray:
    mask = np.zeros(GREY.shape[:2], bool)
    mask[box.slices] = True
    return mask


def test_the_hole_is_tinted_and_outlined_and_nothing_else() -> None:
    mask = hole(Box(10, 8, 20, 12))
    drawn = draw_mask(GREY, mask)
    assert np.array_equal(drawn[~mask], GREY[~mask])
    assert tuple(drawn[8, 10]) == TINT
    assert not np.array_equal(drawn[14, 20], GREY[14, 20])
    assert tuple(drawn[14, 20]) != TINT
    assert (GREY == 128).all()


def test_without_tint_there_is_only_the_outline() -> None:
    mask = hole(Box(10, 8, 20, 12))
    drawn = draw_mask(GREY, mask, tint=False)
    changed = (drawn != GREY).any(-1)
    inner, core = hole(Box(11, 9, 18, 10)), hole(Box(12, 10, 16, 8))
    assert np.array_equal(changed, mask & ~core)
    assert (drawn[mask & ~inner] == TINT).all()
    assert (drawn[inner & ~core] == DARK).all()


def test_the_frame_border_is_no_outline() -> None:
    drawn = draw_mask(GREY, np.ones(GREY.shape[:2], bool), tint=False)
    assert np.array_equal(drawn, GREY)


def test_crops_are_framed_just_inside() -> None:
    box = Box(5, 6, 30, 20)
    drawn = draw_crops(GREY, [box])
    changed = (drawn != GREY).any(-1)
    assert np.array_equal(changed, hole(box) & ~hole(Box(6, 7, 28, 18)))
    assert tuple(drawn[6, 5]) == CROP_COLOUR


def test_a_grid_has_lines_at_round_coordinates() -> None:
    grey = np.full((540, 960, 3), 128, np.uint8)
    drawn = draw_grid(grey)
    assert (grey == 128).all()
    for x in range(100, 960, 100):
        assert (drawn[60:90, x] == TINT).all()
        assert (drawn[60:90, x - 30] == 128).all()
    for y in range(100, 540, 100):
        assert (drawn[y, 160:190] == TINT).all()
    assert (drawn[0:40, 101:150] == DARK).all(-1).any()  # a number's border
