import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from ptfan.engine.flow import FlowPair
from ptfan.training.metrics import psnr, warping_error


def _noise(seed, shape=(24, 32, 3)):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def test_psnr_is_that_of_scikit_image():
    result, truth = _noise(0), _noise(1)
    expected = peak_signal_noise_ratio(truth.astype(np.float64), result.astype(np.float64), data_range=1.0)
    assert psnr(result, truth) == pytest.approx(expected, abs=1e-9)


def test_psnr_of_a_mask_looks_at_nothing_else():
    truth = _noise(0)
    result = truth.copy()
    mask = np.zeros(truth.shape[:2], bool)
    mask[4:8, 4:8] = True
    result[~mask] = 0.0
    assert psnr(result, truth, mask) == math.inf
    result[mask] += np.float32(0.1)
    assert psnr(result, truth, mask) == pytest.approx(20.0, abs=1e-3)


def test_psnr_of_no_pixel_is_no_number():
    assert math.isnan(psnr(_noise(0), _noise(1), np.zeros((24, 32), bool)))


def _shift_pair(shape, u):
    """Flow of a picture that moves `u` pixels to the right from one frame to the next."""
    forward = np.zeros((*shape, 2), np.float32)
    forward[..., 0] = u
    columns = np.broadcast_to(np.arange(shape[1]), shape)
    return FlowPair(forward, -forward, columns + u < shape[1], columns - u >= 0)


def test_a_moving_picture_warps_onto_itself():
    wide = _noise(3, (24, 40, 3))
    frames = [wide[:, 4:36], wide[:, 2:34]]
    holes = [np.ones((24, 32), bool)] * 2
    assert warping_error(frames, holes, [_shift_pair((24, 32), 2)]) == pytest.approx(0.0, abs=1e-12)
    assert warping_error(frames, holes, [_shift_pair((24, 32), 0)]) > 0.05


def test_the_warping_error_of_a_flicker_is_its_square():
    first = np.full((24, 32, 3), 0.5, np.float32)
    hole = np.zeros((24, 32), bool)
    hole[5:9, 5:9] = True
    second = first + np.float32(0.25) * hole[..., None]
    pair = _shift_pair((24, 32), 0)
    assert warping_error([first, second], [hole, hole], [pair]) == pytest.approx(0.0625)
    assert math.isnan(warping_error([first, second], [~hole & False] * 2, [pair]))
