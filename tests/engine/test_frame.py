from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.frame import Box, Frame, Patch, hole_box


def test_box_knows_its_sides() -> None:
    box = Box(2, 3, 4, 5)
    assert (box.right, box.bottom) == (6, 8)
    assert np.zeros((20, 30))[box.slices].shape == (5, 4)
    assert box.contains(box)
    assert box.contains(Box(3, 3, 3, 5))
    assert not box.contains(Box(1, 3, 4, 5))
    assert not box.contains(Box(2, 3, 5, 5))
    assert not box.contains(Box(2, 4, 4, 5))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.sets(st.integers(0, 399), max_size=4))
def test_hole_box_is_the_smallest_round_the_hole(height: int, width: int, pixels: set[int]) -> None:
    hole = np.zeros((height, width), bool)
    for pixel in pixels:
        hole.flat[pixel % hole.size] = True
    box = hole_box(hole)
    rows, columns = np.nonzero(hole)
    if not len(rows):
        assert box is None
    else:
        assert box == Box(columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)


def test_hole_box_of_a_view() -> None:
    hole = np.zeros((10, 12), bool)
    hole[4, 7] = True
    assert hole_box(hole[2:, 3:]) == Box(4, 2, 1, 1)
    assert hole_box(hole[:, ::-1]) == Box(4, 4, 1, 1)


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65535)])
def test_composite_changes_the_hole_alone(dtype: Any, peak: int) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, peak, (12, 16, 3), endpoint=True).astype(dtype)
    hole = rng.random((12, 16)) < 0.3
    pixels = rng.uniform(-0.2, 1.2, (12, 10, 3)).astype(np.float32)
    before = image.copy()
    done = Frame(image, hole, patches=(Patch(Box(3, 0, 10, 12), pixels),)).composite()
    assert done.dtype == dtype
    assert np.array_equal(image, before)
    for y in range(12):
        for x in range(16):
            if hole[y, x] and 3 <= x < 13:
                wanted = np.rint(np.clip(pixels[y, x - 3].astype(float), 0, 1) * peak)
                assert np.abs(done[y, x] - wanted).max() <= (0 if peak == 255 else 1)
            else:
                assert np.array_equal(done[y, x], image[y, x])


def test_composite_gives_back_what_is_not_to_be_changed() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    frame = Frame(image, np.ones((4, 4), bool))
    assert frame.composite() is image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_value_survives_the_way_to_a_patch_and_back(dtype: Any) -> None:
    peak = np.iinfo(dtype).max
    values = np.arange(peak + 1).astype(dtype)
    image = np.repeat(values.reshape(-1, 64)[..., None], 3, axis=2)
    hole = np.ones(image.shape[:2], bool)
    pixels = image.astype(np.float32) * np.float32(1 / peak)
    box = Box(0, 0, image.shape[1], image.shape[0])
    assert np.array_equal(Frame(np.zeros_like(image), hole, patches=(Patch(box, pixels),)).composite(), image)
