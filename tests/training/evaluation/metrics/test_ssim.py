from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from ptfan.engine.errors import InputError
from ptfan.training.evaluation.metrics.ssim import hole_ssim, ssim


def pair(height: int = 90, width: int = 120) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    truth = cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3)).astype(np.float32), (0, 0), 3.0)
    truth = 128 + 6 * (truth - truth.mean())
    result = truth + rng.normal(0, 12, truth.shape)
    return (np.clip(result, 0, 255).astype(np.uint8), np.clip(truth, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("window", [7, 11, 65])
def test_it_is_that_of_scikit_image(window: int) -> None:
    result, truth = pair()
    expected = structural_similarity(truth, result, win_size=window, data_range=255, channel_axis=-1)
    assert ssim(result, truth, window) == pytest.approx(expected, abs=1e-10)
    assert 0.2 < expected < 0.99


def test_equal_pictures_are_equal() -> None:
    _, truth = pair()
    assert ssim(truth, truth) == pytest.approx(1.0, abs=1e-12)


def test_the_hole_is_its_box() -> None:
    result, truth = pair()
    hole = np.zeros(truth.shape[:2], bool)
    hole[10, 20] = hole[39, 69] = True
    expected = structural_similarity(truth[10:40, 20:70], result[10:40, 20:70], data_range=255, channel_axis=-1)
    assert hole_ssim(result, truth, hole) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (89, 119), (40, 2)])
def test_the_box_of_a_small_hole_grows_to_a_window(row: int, column: int) -> None:
    result, truth = pair()
    hole = np.zeros(truth.shape[:2], bool)
    hole[row, column] = True
    top, left = min(max(row - 3, 0), 83), min(max(column - 3, 0), 113)
    box = (slice(top, top + 7), slice(left, left + 7))
    expected = structural_similarity(truth[box], result[box], data_range=255, channel_axis=-1)
    assert hole_ssim(result, truth, hole) == pytest.approx(expected, abs=1e-10)
    assert math.isnan(hole_ssim(result, truth, hole & False))


@pytest.mark.parametrize("window", [8, 91])
def test_a_window_that_does_not_fit_is_refused(window: int) -> None:
    with pytest.raises(InputError, match=f"a window of {window} pixels on 120x90, expected an odd one that fits"):
        ssim(*pair(), window)
