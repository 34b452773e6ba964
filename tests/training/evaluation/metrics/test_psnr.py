from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio

from ptfan.training.evaluation.metrics.psnr import psnr


def noise(seed: int, shape: tuple[int, ...] = (24, 32, 3)) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_it_is_that_of_scikit_image() -> None:
    result, truth = noise(0), noise(1)
    assert psnr(result, truth) == pytest.approx(peak_signal_noise_ratio(truth, result, data_range=255), abs=1e-9)


def test_bytes_do_not_wrap() -> None:
    truth = np.full((8, 8, 3), 250, np.uint8)
    result = np.full((8, 8, 3), 5, np.uint8)
    assert psnr(result, truth) == psnr(truth, result) == pytest.approx(20 * math.log10(255 / 245))


def test_a_mask_looks_at_nothing_else() -> None:
    truth = noise(0) // 2
    result = truth.copy()
    mask = np.zeros(truth.shape[:2], bool)
    mask[4:8, 4:8] = True
    result[~mask] = 255
    assert psnr(result, truth, mask) == math.inf
    result[mask] += 51
    assert psnr(result, truth, mask) == pytest.approx(20 * math.log10(5))
    assert math.isnan(psnr(result, truth, mask & False))
