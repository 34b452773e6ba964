from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.frame import Box
from ptfan.engine.media.filter_chain import FilterChain
from ptfan.engine.media.orientation import Orientation

ALL = [Orientation(a, b, c) for a in (False, True) for b in (False, True) for c in (False, True)]


def _by_matrix(coded: np.ndarray, matrix: tuple[int, ...]) -> np.ndarray:
    """Move every pixel to where the display matrix sends it, one after the other."""
    a, b, _, c, d, *_ = (value // 65536 for value in matrix)
    height, width = coded.shape[:2]
    places = {(a * x + c * y, b * x + d * y): coded[y, x] for y in range(height) for x in range(width)}
    left, top = min(x for x, _ in places), min(y for _, y in places)
    shown = np.zeros((max(y for _, y in places) - top + 1, max(x for x, _ in places) - left + 1), coded.dtype)
    for (x, y), value in places.items():
        shown[y - top, x - left] = value
    return shown


@pytest.mark.parametrize("orientation", ALL)
def test_apply_does_what_the_matrix_says(orientation: Orientation):
    for kind in (np.uint8, np.uint16, np.bool_):  # OpenCV's way, and NumPy's
        coded = (np.arange(12) * 7 % 5).reshape(3, 4).astype(kind)
        turned = orientation.apply(coded)
        assert turned.flags.c_contiguous
        assert np.array_equal(turned, _by_matrix(coded, orientation.matrix))
        assert np.array_equal(orientation.undo(turned[:]), coded)


@pytest.mark.parametrize("orientation", ALL)
def test_apply_does_what_the_filters_do(orientation: Orientation):
    coded = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    frame = av.VideoFrame.from_ndarray(coded, format="rgb24")
    (turned,) = FilterChain(orientation.filters or [("null", "")], frame).push(frame)
    assert np.array_equal(turned.to_ndarray(), orientation.apply(coded))


@pytest.mark.parametrize("orientation", ALL)
def test_the_matrix_is_read_as_it_is_written(orientation: Orientation):
    assert Orientation.from_matrix(orientation.matrix) == orientation


@given(st.sampled_from(ALL), st.integers(0, 6), st.integers(0, 4), st.integers(1, 3), st.integers(1, 3))
def test_a_box_goes_with_its_pixels(orientation: Orientation, x: int, y: int, width: int, height: int):
    coded = np.zeros((8, 10), np.uint8)
    box = Box(x, y, width, height)
    coded[box.slices] = 1
    shown = orientation.apply(coded)
    turned = orientation.apply_box(box, shown.shape[1], shown.shape[0])
    assert shown[turned.slices].all()
    assert shown.sum() == turned.width * turned.height
    assert orientation.undo_box(turned, shown.shape[1], shown.shape[0]) == box
    assert np.array_equal(orientation.undo(shown), coded)


def test_turned_and_flipped_is_a_quarter_clockwise():
    marked = np.zeros((2, 3), np.uint8)
    marked[0, 0] = 1  # top left goes to the top right
    assert Orientation(True, True, False).apply(marked)[0, -1] == 1


@pytest.mark.parametrize("orientation", ALL)
def test_a_frame_without_readable_side_data_falls_back_on_its_rotation(orientation: Orientation, monkeypatch, clip):
    frame = next(av.open(str(clip(frames=1, matrix=orientation.matrix))).decode(video=0))
    assert Orientation.of(frame) == orientation
    monkeypatch.setattr("ptfan.engine.media.orientation.read_side_data", lambda frame: None)
    mirrored = sum([orientation.transpose, orientation.flip_x, orientation.flip_y]) % 2
    if not mirrored:
        assert Orientation.of(frame) == orientation
