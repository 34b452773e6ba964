"""Completion of an image or a flow field from its known pixels, by a masked image pyramid (pull-push)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask

__all__ = ["dilate", "pull_push"]


def pull_push(values: NDArray[np.float32], known: NDArray[Any]) -> NDArray[np.float32]:
    """Fill the unknown pixels smoothly from the known ones.

    Pull: every level halves the one before, averaging known pixels alone. Push: from the coarsest level back, what a
    level does not know is read from the level above it. What stands in the unknown pixels has no influence.

    Args:
        values: (H, W) or (H, W, C) float32.
        known: (H, W), True or 1 where the value is known.

    Returns:
        The values' shape; known pixels keep their exact values; all zero if no pixel is known.
    """
    weight = known.astype(np.float32)
    plane = weight if values.ndim == 2 else weight[..., None]
    return _complete(np.where(plane > 0, values, np.float32(0)), weight)


def _complete(weighted: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Complete values that are multiplied by their weights; weights are in [0, 1]."""
    height, width = weight.shape
    if float(weight.min()) >= 1.0:
        return weighted
    if height == 1 and width == 1:
        return weighted / weight if weight[0, 0] > 0 else weighted
    half = ((width + 1) // 2, (height + 1) // 2)
    coarse_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(weighted, half, interpolation=cv2.INTER_AREA).reshape(half[1], half[0], *weighted.shape[2:])
    # A pixel with one known quarter is as good as known: the level above would only blur it.
    gain = np.minimum(4.0, 1.0 / np.maximum(coarse_weight, np.float32(1e-6))).astype(np.float32)
    gain_plane = gain if weighted.ndim == 2 else gain[..., None]
    above = _complete(coarse * gain_plane, coarse_weight * gain)
    fine = cv2.resize(above, (width, height), interpolation=cv2.INTER_LINEAR).reshape(weighted.shape)
    rest = 1.0 - weight
    result: NDArray[np.float32] = weighted + fine * (rest if weighted.ndim == 2 else rest[..., None])
    return result


def dilate(mask: Mask, radius: int) -> Mask:
    """Grow a mask by a disc of `radius` pixels (0 returns it unchanged)."""
    if radius <= 0:
        return mask
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    grown: Mask = cv2.dilate(mask.astype(np.uint8), kernel).astype(bool)
    return grown
