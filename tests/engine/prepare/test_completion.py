from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.prepare.completion import dilate, pull_push, times

Array = NDArray[np.float64]
SIZES = [(8, 8), (7, 5), (1, 9), (9, 1), (1, 1), (2, 1), (12, 10), (13, 6)]


def halved(plane: Array) -> Array:
    """Halve a plane by the means of the pixels that each half-size pixel covers, in plain loops."""
    height, width = plane.shape
    rows, columns = (height + 1) // 2, (width + 1) // 2
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for y, share_y in covered(i, height / rows, height):
                for x, share_x in covered(j, width / columns, width):
                    result[i, j] += share_y * share_x * plane[y, x]
    return result


def covered(index: int, scale: float, size: int) -> list[tuple[int, float]]:
    """Return the pixels under the half-size pixel `index`, and their shares of it."""
    begin, end = index * scale, (index + 1) * scale
    overlaps = [(k, min(end, k + 1) - max(begin, k)) for k in range(size)]
    return [(k, overlap / scale) for k, overlap in overlaps if overlap > 0]


def enlarged(plane: Array, height: int, width: int) -> Array:
    """Enlarge bilinearly, in plain loops; the pixels' centres of both sizes cover the same picture."""
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            y = min(max((i + 0.5) * plane.shape[0] / height - 0.5, 0.0), plane.shape[0] - 1.0)
            x = min(max((j + 0.5) * plane.shape[1] / width - 0.5, 0.0), plane.shape[1] - 1.0)
            y0, x0 = math.floor(y), math.floor(x)
            y1, x1 = min(y0 + 1, plane.shape[0] - 1), min(x0 + 1, plane.shape[1] - 1)
            top = plane[y0, x0] * (1 - (x - x0)) + plane[y0, x1] * (x - x0)
            bottom = plane[y1, x0] * (1 - (x - x0)) + plane[y1, x1] * (x - x0)
            result[i, j] = top * (1 - (y - y0)) + bottom * (y - y0)
    return result


def reference(weighted: Array, weight: Array) -> Array:
    """Complete one plane of values that are multiplied by their weights."""
    if (weight >= 1.0 - 1e-9).all():
        return weighted
    if weight.size == 1:
        return weighted / weight if weight[0, 0] > 0 else weighted
    coarse, coarse_weight = halved(weighted), halved(weight)
    for index, known in np.ndenumerate(coarse_weight):
        gain = min(4.0, 1.0 / known) if known > 0 else 4.0
        coarse[index] *= gain
        coarse_weight[index] *= gain
    return weighted + (1.0 - weight) * enlarged(reference(coarse, coarse_weight), *weight.shape)


def scene(seed: int, height: int, width: int, channels: int = 2) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    values = rng.normal(0.0, 5.0, (height, width, channels)).astype(np.float32)
    return values, rng.random((height, width)) < rng.uniform(0.05, 0.95)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_plain_loops(size: tuple[int, int], seed: int) -> None:
    values, known = scene(seed, *size)
    done = pull_push(values, known)
    for channel in range(values.shape[2]):
        weight = known.astype(float)
        expected = reference(values[..., channel].astype(float) * weight, weight)
        np.testing.assert_allclose(done[..., channel], expected, atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 40))
def test_known_pixels_stay_and_others_lie_between_them(seed: int, height: int, width: int) -> None:
    values, known = scene(seed, height, width, 3)
    done = pull_push(values, known)
    assert np.array_equal(done[known], values[known])
    if known.any():
        low, high = values[known].min(axis=0), values[known].max(axis=0)
        assert (done >= low - 1e-4).all()
        assert (done <= high + 1e-4).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 40))
def test_what_is_unknown_has_no_influence(seed: int, height: int, width: int) -> None:
    values, known = scene(seed, height, width)
    other = values.copy()
    other[~known] = np.nan
    assert np.array_equal(pull_push(values, known), pull_push(other, known))


@pytest.mark.parametrize("size", [*SIZES, (31, 64)])
def test_a_constant_stays_constant(size: tuple[int, int]) -> None:
    known = np.zeros(size, bool)
    known[0, -1] = True
    np.testing.assert_allclose(pull_push(np.full(size, 0.3, np.float32), known), 0.3, rtol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_known_gives_zeros(size: tuple[int, int]) -> None:
    done = pull_push(np.full((*size, 2), 7.0, np.float32), np.zeros(size, bool))
    assert not done.any()


def test_everything_known_changes_nothing_and_copies() -> None:
    values, _ = scene(0, 9, 11)
    done = pull_push(values, np.ones((9, 11), bool))
    assert np.array_equal(done, values)
    assert not np.shares_memory(done, values)


def test_the_arguments_are_left_alone() -> None:
    values, known = scene(1, 16, 16)
    before, mask = values.copy(), known.copy()
    pull_push(values, known)
    assert np.array_equal(values, before)
    assert np.array_equal(known, mask)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_channels_are_completed_alike(channels: int) -> None:
    values, known = scene(2, 21, 30, channels)
    done = pull_push(values, known)
    assert done.shape == values.shape
    for channel in range(channels):
        single = pull_push(np.ascontiguousarray(values[..., channel]), known)
        assert single.shape == (21, 30)
        np.testing.assert_allclose(done[..., channel], single, atol=1e-4)


@pytest.mark.parametrize("size", [*SIZES, (31, 64)])
def test_channels_may_differ_in_what_is_known(size: tuple[int, int]) -> None:
    values, one = scene(4, *size, 2)
    _, other = scene(5, *size)
    done = pull_push(values, np.dstack((one, other)))
    for channel, known in enumerate((one, other)):
        single = pull_push(np.ascontiguousarray(values[..., channel]), known)
        np.testing.assert_allclose(done[..., channel], single, atol=1e-4)


def test_takes_views_and_numbers_for_a_mask() -> None:
    values, known = scene(3, 20, 24)
    expected = pull_push(np.ascontiguousarray(values[::-1, ::2]), np.ascontiguousarray(known[::-1, ::2]))
    assert np.array_equal(pull_push(values[::-1, ::2], known[::-1, ::2]), expected)
    assert np.array_equal(pull_push(values, known.astype(np.uint8)), pull_push(values, known))


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3)])
def test_times_is_a_product(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    values, plane = rng.random(shape, np.float32), rng.random((4, 5), np.float32)
    expected = values * (plane if len(shape) == 2 else plane[..., None])
    assert np.array_equal(times(values, plane), expected)


@pytest.mark.parametrize("radius", [1, 2, 4, 7])
def test_dilate_grows_by_a_disc(radius: int) -> None:
    mask = np.zeros((25, 27), bool)
    mask[12, 13] = True
    y, x = np.indices(mask.shape)
    distance = np.hypot(y - 12, x - 13)
    grown = dilate(mask, radius)
    assert grown.dtype == np.bool_
    assert grown[distance <= radius].all()
    assert not grown[distance > radius + 0.75].any()


def test_dilate_by_nothing_is_the_mask_itself() -> None:
    mask = np.zeros((4, 4), bool)
    assert dilate(mask, 0) is mask
