from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.prepare.validity import TOLERANCE, TOLERANCE_GROWTH, leads_into, length, pixel_axes, validity

Flow = NDArray[np.float32]


def sampled(flow: Flow, x: float, y: float) -> NDArray[np.float64]:
    """Read a flow bilinearly; beyond the frame its edge goes on."""
    height, width = flow.shape[:2]
    x0, y0 = math.floor(x), math.floor(y)
    total = np.zeros(2)
    for row, share_y in ((y0, 1 - (y - y0)), (y0 + 1, y - y0)):
        for column, share_x in ((x0, 1 - (x - x0)), (x0 + 1, x - x0)):
            pixel = flow[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
            total += share_y * share_x * pixel.astype(float)
    return total


def excess(flow: Flow, reverse: Flow) -> NDArray[np.float64]:
    """Return by how much each vector exceeds what is allowed, in plain loops; above 0 is not valid."""
    height, width = flow.shape[:2]
    result = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            u, v = (float(value) for value in flow[y, x])
            back = sampled(reverse, x + u, y + v)
            error = math.hypot(u + back[0], v + back[1])
            result[y, x] = error - TOLERANCE - TOLERANCE_GROWTH * (math.hypot(u, v) + math.hypot(*back))
            if not (0 <= x + u <= width - 1 and 0 <= y + v <= height - 1):
                result[y, x] = math.inf
    return result


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12))
def test_agrees_with_plain_loops(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    # OpenCV interpolates at steps of 1/32 pixel.
    flow = (rng.integers(-70, 70, (height, width, 2)) / 32).astype(np.float32)
    reverse = (-flow + rng.integers(-50, 50, flow.shape) / 32).astype(np.float32)
    expected = excess(flow, reverse)
    clear = np.abs(expected) > 1e-4
    assert np.array_equal(validity(flow, reverse)[clear], expected[clear] <= 0)


def test_a_translation_is_valid_wherever_it_stays_inside() -> None:
    flow = np.broadcast_to(np.array([3.5, -2.0], np.float32), (20, 30, 2)).copy()
    usable = validity(flow, -flow)
    x, y = np.meshgrid(np.arange(30), np.arange(20))
    assert np.array_equal(usable, (x + 3.5 <= 29) & (y - 2.0 >= 0))


def test_the_last_pixel_is_inside_and_no_more() -> None:
    flow = np.zeros((1, 3, 2), np.float32)
    flow[..., 0] = 1.0
    assert validity(flow, -flow).tolist() == [[True, True, False]]
    flow[..., 0] = 1.03125
    assert validity(flow, -flow).tolist() == [[True, False, False]]


@pytest.mark.parametrize(("error", "usable"), [(0.9, True), (1.2, True), (1.9, False)])
def test_long_vectors_may_disagree_more(error: float, usable: bool) -> None:
    flow = np.zeros((9, 9, 2), np.float32)
    flow[..., 0] = 4.0
    back = -flow
    back[..., 1] = error  # allowed: 1 + 0.05 x (4 + about 4.1)
    assert validity(flow, back)[4, 2] == usable


def test_disagreement_is_not_valid() -> None:
    flow = np.zeros((16, 16, 2), np.float32)
    reverse = np.zeros_like(flow)
    reverse[4:8, 4:8, 0] = 3.0
    usable = validity(flow, reverse)
    assert not usable[4:8, 4:8].any()
    assert usable.sum() == 16 * 16 - 16


def test_axes_are_the_pixels_own_places() -> None:
    columns, rows = pixel_axes(3, 4)
    assert columns.tolist() == [[0, 1, 2, 3]]
    assert rows.tolist() == [[0], [1], [2]]


def placed(array: Flow, offset: int) -> Flow:
    """Return a copy that begins `offset` bytes after a multiple of 64."""
    room = np.empty(array.nbytes + 128, np.uint8)
    start = -room.ctypes.data % 64 + offset
    copy = room[start : start + array.nbytes].view(np.float32).reshape(array.shape)
    copy[...] = array
    return copy


def test_lengths_are_the_same_wherever_vectors_lie_in_memory() -> None:
    u, v = np.random.default_rng(0).normal(0, 3, (2, 31, 45)).astype(np.float32)
    expected = length(u, v)
    np.testing.assert_allclose(expected, np.hypot(u.astype(float), v), rtol=1e-6)
    for first in range(0, 64, 4):
        for second in (0, 16, 36):
            assert np.array_equal(length(placed(u, first), placed(v, second)), expected)


def test_equal_flows_are_judged_equally() -> None:
    rng = np.random.default_rng(1)
    flow, reverse = rng.normal(0, 1, (2, 32, 48, 2)).astype(np.float32)
    expected = validity(flow, reverse)
    rooms = [np.empty(int(rng.integers(1, 9000)), np.uint8) for _ in range(40)]  # so that results lie elsewhere
    for turn in range(40):
        rooms[turn] = np.empty(int(rng.integers(1, 9000)), np.uint8)
        assert np.array_equal(validity(flow, reverse), expected)


@given(seed=st.integers(0, 10**6))
def test_where_flow_ends_in_a_mask_agrees_with_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask, flow = rng.random((7, 9)) < 0.4, rng.integers(-4, 5, (7, 9, 2)).astype(np.float32)
    expected = np.zeros((7, 9), bool)
    for y in range(7):
        for x in range(9):
            column, row = x + int(flow[y, x, 0]), y + int(flow[y, x, 1])
            expected[y, x] = 0 <= column < 9 and 0 <= row < 7 and mask[row, column]
    assert np.array_equal(leads_into(mask, flow), expected)
