"""Structural similarity (Wang et al., 2004) with a flat window."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Box, Mask, hole_box

__all__ = ["FIELD_WINDOW", "USUAL_WINDOW", "hole_ssim", "ssim"]

FIELD_WINDOW = 65
"""Side of the window in E2FGVI's and ProPainter's tables, pixels."""
USUAL_WINDOW = 7
"""Side of the window that scikit-image takes by default, pixels."""
DATA_RANGE = 255.0
K1, K2 = 0.01, 0.03


def ssim(result: NDArray[np.uint8], truth: NDArray[np.uint8], window: int = USUAL_WINDOW) -> float:
    """Return the mean structural similarity, as scikit-image has it by default; float64.

    At every place of the window, x of the result and y of the truth, and for each channel:
    (2 mean(x) mean(y) + C1) (2 cov(x, y) + C2) / ((mean(x)^2 + mean(y)^2 + C1) (var(x) + var(y) + C2)) with
    C = (K 255)^2, K1 = 0.01, K2 = 0.03; (co)variances are those of a sample (divided by n - 1). Then the mean over
    the places at which the window lies inside, and over the channels.

    Args:
        result: (H, W, 3) RGB.
        truth: (H, W, 3).
        window: side of the window, odd, pixels.

    Raises:
        InputError: the pictures are smaller than the window, or it is even.
    """
    if window % 2 == 0 or min(truth.shape[:2]) < window:
        height, width = truth.shape[:2]
        raise InputError(f"SSIM: a window of {window} pixels on {width}x{height}, expected an odd one that fits")
    x, y = result.astype(np.float64), truth.astype(np.float64)
    mean_x, mean_y = _means(x, window), _means(y, window)
    sample = window**2 / (window**2 - 1)
    variance_x = sample * (_means(x * x, window) - mean_x**2)
    variance_y = sample * (_means(y * y, window) - mean_y**2)
    covariance = sample * (_means(x * y, window) - mean_x * mean_y)
    c1, c2 = (K1 * DATA_RANGE) ** 2, (K2 * DATA_RANGE) ** 2
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    likeness /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return float(likeness.mean())


def hole_ssim(result: NDArray[np.uint8], truth: NDArray[np.uint8], hole: Mask) -> float:
    """Return `ssim` with the usual window of the box round the hole, which is made large enough for one.

    Args:
        result: (H, W, 3) RGB, 7x7 or more.
        truth: (H, W, 3).
        hole: (H, W).

    Returns:
        The similarity; nan without a hole.
    """
    box = hole_box(hole)
    if box is None:
        return math.nan
    rows, columns = _at_least(box, USUAL_WINDOW, hole.shape[0], hole.shape[1]).slices
    return ssim(result[rows, columns], truth[rows, columns])


def _means(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the window's mean at every place at which it lies inside."""
    edge = window // 2
    means: NDArray[np.float64] = cv2.boxFilter(values, cv2.CV_64F, (window, window))
    return means[edge : means.shape[0] - edge, edge : means.shape[1] - edge]


def _at_least(box: Box, side: int, height: int, width: int) -> Box:
    """Grow a box evenly to a side, and push it back inside."""
    wide, high = max(box.width, side), max(box.height, side)
    x = min(max(box.x - (wide - box.width) // 2, 0), width - wide)
    y = min(max(box.y - (high - box.height) // 2, 0), height - high)
    return Box(x, y, wide, high)
