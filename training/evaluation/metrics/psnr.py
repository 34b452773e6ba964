"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask

__all__ = ["psnr"]

PEAK = 255.0


def psnr(result: NDArray[np.uint8], truth: NDArray[np.uint8], mask: Mask | None = None) -> float:
    """Return 10 log10(255^2 / MSE) in dB; the mean squared error is taken over pixels and channels, in float64.

    Args:
        result: (H, W, 3) RGB.
        truth: (H, W, 3).
        mask: (H, W), the pixels that count; all if None, which is the figure of E2FGVI's and ProPainter's tables.

    Returns:
        dB; infinite where both are equal, nan if no pixel counts.
    """
    difference = result.astype(np.float64) - truth
    if mask is not None:
        difference = difference[mask]
    if not difference.size:
        return math.nan
    error = float(np.mean(difference**2))
    return math.inf if error == 0 else 10.0 * math.log10(PEAK**2 / error)
