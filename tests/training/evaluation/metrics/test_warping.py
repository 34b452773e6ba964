from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.prepare.flow import FlowPair
from ptfan.training.evaluation.metrics.warping import field_occlusion, field_warping_error, warping_error

SHAPE = (24, 32)


def noise(seed: int, width: int = 32) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (SHAPE[0], width, 3), dtype=np.uint8)


def shift(u: float) -> FlowPair:
    """Flow of a picture that moves `u` pixels to the right from one frame to the next."""
    forward = np.zeros((*SHAPE, 2), np.float32)
    forward[..., 0] = u
    columns = np.broadcast_to(np.arange(SHAPE[1]), SHAPE)
    return FlowPair(forward, -forward, columns + u < SHAPE[1], columns - u >= 0)


def test_a_moving_picture_warps_onto_itself() -> None:
    wide = noise(3, 40)
    frames = [wide[:, 4:36], wide[:, 2:34]]
    holes = [np.ones(SHAPE, bool)] * 2
    assert warping_error(frames, holes, [shift(2)]) == 0.0
    assert warping_error(frames, holes, [shift(0)]) > 0.05


def test_the_error_of_a_flicker_is_its_square() -> None:
    first = np.full((*SHAPE, 3), 100, np.uint8)
    hole = np.zeros(SHAPE, bool)
    hole[5:9, 5:9] = True
    second = np.where(hole[..., None], np.uint8(151), first)
    assert warping_error([first, second], [hole, hole], [shift(0)]) == pytest.approx(0.04)
    assert field_warping_error([first, second], [shift(0)]) == pytest.approx(0.04 * 16 / (24 * 32))
    assert math.isnan(warping_error([first, second], [hole & False] * 2, [shift(0)]))
    assert math.isnan(field_warping_error([first], []))


def test_what_leaves_the_hole_or_the_frame_does_not_count() -> None:
    frames = [noise(0), noise(1)]
    hole = np.zeros(SHAPE, bool)
    hole[3:9, 28:32] = True
    pair = shift(2)
    counted = hole & pair.forward_validity
    assert counted.sum() == 12
    moved = np.roll(frames[1].astype(float), -2, axis=1)
    expected = np.mean((frames[0][counted] - moved[counted]) ** 2) / 255**2
    assert warping_error(frames, [hole, hole], [pair]) == pytest.approx(expected)


def test_between_pixels_the_warp_is_linear() -> None:
    row = np.zeros((*SHAPE, 3), np.uint8)
    row[:, 10] = 200
    hole = np.zeros(SHAPE, bool)
    hole[4, 9] = True
    error = warping_error([np.zeros_like(row), row], [hole, hole], [shift(0.3)])
    assert error == pytest.approx((0.3 * 200 / 255) ** 2, rel=1e-6)


def test_the_field_masks_motion_boundaries_and_disagreement() -> None:
    forward = np.zeros((*SHAPE, 2), np.float32)
    forward[:, 16:, 0] = 3.0
    backward = -forward
    expected = np.zeros(SHAPE, bool)
    expected[:, 15] = True  # a step of three pixels to the next column
    expected[:, 16:19] = True  # where the flow leads there, too, it has this length: but back it is 0 or -3
    found = field_occlusion(forward, backward)
    np.testing.assert_array_equal(found[:, :16], expected[:, :16])
    assert not found[:, 16:29].any()
    backward[2:5, 20:25] = (1.0, 1.0)
    found = field_occlusion(forward, backward)
    assert found[2:5, 17:22].all()
    assert not found[6:, 16:29].any()


def test_the_field_error_is_the_mean_of_the_pairs_means() -> None:
    frames = [noise(0), noise(1), noise(2)]
    errors = [np.mean((frames[t] / 255.0 - frames[t + 1] / 255.0) ** 2) for t in range(2)]
    assert field_warping_error(frames, [shift(0), shift(0)]) == pytest.approx(np.mean(errors))


def test_opencv_samples_alike() -> None:
    rng = np.random.default_rng(5)
    forward = cv2.GaussianBlur(rng.normal(0, 30, (*SHAPE, 2)).astype(np.float32), (0, 0), 4.0)
    frames = [noise(0), cv2.GaussianBlur(noise(1), (0, 0), 2.0)]
    pair = FlowPair(forward, -forward, np.ones(SHAPE, bool), np.ones(SHAPE, bool))
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    places = (x + forward[..., 0], y + forward[..., 1])
    moved = cv2.remap(frames[1].astype(np.float32), *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    expected = np.mean((frames[0] / 255.0 - moved / 255.0) ** 2)
    whole = [np.ones(SHAPE, bool)] * 2
    assert warping_error(frames, whole, [pair]) == pytest.approx(expected, rel=1e-3)
