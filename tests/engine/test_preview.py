"""Drawings leave all else of the picture as it was."""

from __future__ import annotations

import av
import numpy as np
import pytest

from ptfan.engine.frame import Box
from ptfan.engine.preview import CROP_COLOUR, DARK, TINT, draw_crops, draw_grid, draw_mask, encode_png, to_8_bit

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


@pytest.mark.parametrize(("deep", "shallow"), [(0, 0), (65535, 255), (257 * 100, 100), (128, 0), (129, 1)])
def test_deep_pictures_are_rounded_to_8_bits(deep: int, shallow: int) -> None:
    assert (to_8_bit(np.full((2, 2, 3), deep, np.uint16)) == shallow).all()


def test_a_png_holds_the_very_picture(tmp_path: object) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (17, 23, 3), dtype=np.uint8)
    codec = av.CodecContext.create("png", "r")
    (frame,) = codec.decode(av.Packet(encode_png(picture)))
    assert np.array_equal(frame.to_ndarray(format="rgb24"), picture)


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
