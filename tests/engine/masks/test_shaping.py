"""Masks of other sizes and larger holes, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ptfan.engine.frame import Mask
from ptfan.engine.masks.shaping import grow_hole, scale_mask

SIDE = st.integers(1, 24)
MASKS = st.tuples(SIDE, SIDE).flatmap(lambda shape: arrays(np.bool_, shape))


def brute_dilation(mask: Mask, radius: int) -> Mask:
    rows, columns = np.nonzero(mask)
    result = np.zeros_like(mask)
    for y, x in np.ndindex(*mask.shape):
        result[y, x] = bool(((rows - y) ** 2 + (columns - x) ** 2 <= radius**2).any())
    return result


@settings(deadline=None)  # brute force is slow
@given(MASKS, st.integers(0, 9))
def test_dilation_is_the_disc_of_brute_force(mask: Mask, radius: int) -> None:
    np.testing.assert_array_equal(grow_hole(mask, radius), brute_dilation(mask, radius))


@given(MASKS, st.integers(0, 6), st.integers(0, 6))
def test_dilation_contains_the_mask_and_grows_with_the_radius(mask: Mask, small: int, more: int) -> None:
    less = grow_hole(mask, small)
    assert not (mask & ~less).any()
    assert not (less & ~grow_hole(mask, small + more)).any()


@pytest.mark.parametrize("radius", [5, 13, 100, 501])
def test_dilation_is_exact_where_the_distance_is_a_whole_number(radius: int) -> None:
    mask = np.zeros((1, 2 * radius + 3), bool)
    mask[0, radius + 1] = True
    grown = grow_hole(mask, radius)
    assert grown.sum() == 2 * radius + 1
    assert not grown[0, 0]


@given(MASKS, SIDE, SIDE)
def test_scaling_takes_the_pixel_under_the_centre(mask: Mask, width: int, height: int) -> None:
    scaled = scale_mask(mask, width, height)
    assert scaled.shape == (height, width)
    for y, x in np.ndindex(height, width):
        row = int((y + 0.5) / height * mask.shape[0] + 1e-9)
        column = int((x + 0.5) / width * mask.shape[1] + 1e-9)
        assert scaled[y, x] == mask[row, column]


@given(MASKS, st.integers(1, 4), st.integers(1, 4))
def test_whole_factors_repeat_pixels_and_scale_back(mask: Mask, across: int, down: int) -> None:
    height, width = mask.shape
    larger = scale_mask(mask, width * across, height * down)
    np.testing.assert_array_equal(larger, mask.repeat(down, axis=0).repeat(across, axis=1))
    np.testing.assert_array_equal(scale_mask(larger, width, height), mask)


@given(MASKS, SIDE, SIDE)
def test_scaling_commutes_with_mirroring(mask: Mask, width: int, height: int) -> None:
    # Centres that fall on an edge between two pixels go right and down, so only odd ratios mirror exactly.
    if width % 2 and height % 2 and mask.shape[0] % 2 and mask.shape[1] % 2:
        mirrored = scale_mask(mask[::-1, ::-1], width, height)
        np.testing.assert_array_equal(mirrored, scale_mask(mask, width, height)[::-1, ::-1])
