from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Box, Frame, Mask, Patch, hole_box


def test_box_knows_its_sides() -> None:
    box = Box(2, 3, 4, 5)
    assert (box.right, box.bottom) == (6, 8)
    assert np.zeros((20, 30))[box.slices].shape == (5, 4)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    return Box(x, y, draw(st.integers(1, 10 - x)), draw(st.integers(1, 10 - y)))


def shown(box: Box) -> Mask:
    """Return a box as pixels."""
    pixels = np.zeros((10, 10), bool)
    pixels[box.slices] = True
    return pixels


@settings(deadline=None)
@given(boxes(), boxes(), st.integers(0, 4))
def test_boxes_are_sets_of_pixels(one: Box, other: Box, margin: int) -> None:
    both = shown(one) & shown(other)
    np.testing.assert_array_equal(shown(one.common(other)), both)
    assert one.overlaps(other) == both.any()
    assert one.union(other) == hole_box(shown(one) | shown(other))
    near = np.pad(shown(one), margin)
    for axis in (0, 1):
        near = np.logical_or.reduce([np.roll(near, shift, axis) for shift in range(-margin, margin + 1)])
    near = near[margin : margin + 10, margin : margin + 10] & shown(other)
    np.testing.assert_array_equal(shown(one.grown(margin, other)), near)


def test_a_box_without_pixels_overlaps_nothing() -> None:
    assert not Box(3, 3, 0, 2).overlaps(Box(0, 0, 9, 9))


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


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_part_of_the_composite_is_made_alone(data: st.DataObject) -> None:
    def a_box() -> Box:
        x, y = data.draw(st.integers(0, 14)), data.draw(st.integers(0, 9))
        return Box(x, y, data.draw(st.integers(1, 16 - x)), data.draw(st.integers(1, 11 - y)))

    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    boxes = [a_box() for _ in range(data.draw(st.integers(1, 3)))]
    patches = tuple(Patch(box, rng.random((box.height, box.width, 3), np.float32)) for box in boxes)
    frame = Frame(rng.integers(0, 255, (11, 16, 3), np.uint8), rng.random((11, 16)) < 0.5, patches=patches)
    region = a_box()
    assert np.array_equal(frame.composite_in(region), frame.composite()[region.slices])


def test_what_two_boxes_share() -> None:
    assert Box(2, 3, 10, 10).common(Box(5, 0, 20, 6)) == Box(5, 3, 7, 3)
    assert Box(0, 0, 2, 2).common(Box(5, 1, 2, 2)).width == 0
    assert Box(5, 3, 7, 3).seen_from(Box(2, 3, 10, 10)) == Box(3, 0, 7, 3)


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


def test_whoever_draws_on_a_composite_spoils_no_frame() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    picture = Frame(image, np.ones((4, 4), bool)).composite()
    assert np.array_equal(picture, image)
    assert not np.shares_memory(picture, image)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_value_survives_the_way_to_a_patch_and_back(dtype: Any) -> None:
    peak = np.iinfo(dtype).max
    values = np.arange(peak + 1).astype(dtype)
    image = np.repeat(values.reshape(-1, 64)[..., None], 3, axis=2)
    hole = np.ones(image.shape[:2], bool)
    pixels = image.astype(np.float32) * np.float32(1 / peak)
    box = Box(0, 0, image.shape[1], image.shape[0])
    assert np.array_equal(Frame(np.zeros_like(image), hole, patches=(Patch(box, pixels),)).composite(), image)


@pytest.mark.parametrize(
    ("image", "hole", "words"),
    [
        ([[[1, 2, 3]]], np.zeros((1, 1), bool), "frame is a list, expected a NumPy array"),
        (np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), bool), r"frame is of shape \(0, 0, 3\), expected"),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), bool), r"frame is of shape \(4, 4\), expected uint8 or"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 1), bool), r"mask is of shape \(4, 4, 1\), expected bool"),
        (np.zeros((4, 4, 3), np.uint8), None, "mask is a NoneType, expected a NumPy array"),
    ],
)
def test_what_is_no_picture_is_refused(image: Any, hole: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Frame(image, hole)
