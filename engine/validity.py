"""Where a flow vector can be used: the validity mask (PTFAN, section 3.2)."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask

__all__ = ["pixel_grid", "validity"]

TOLERANCE = 1.0
"""Pixels by which forward and backward flow may always disagree."""
TOLERANCE_GROWTH = 0.05
"""Further disagreement allowed, per pixel of the two flows' length."""


@lru_cache(maxsize=8)
def pixel_grid(height: int, width: int) -> NDArray[np.float32]:
    """Return (H, W, 2): every pixel's own (x, y). Shared between calls: do not write to it."""
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    grid.setflags(write=False)
    return grid


def validity(flow: NDArray[np.float32], reverse: NDArray[np.float32]) -> Mask:
    """Tell where `flow` points inside the frame and `reverse` leads back to the start.

    Args:
        flow: (H, W, 2) pixels, from a frame to its neighbour.
        reverse: (H, W, 2) pixels, from the neighbour to the frame.

    Returns:
        (H, W), True where |flow + reverse(p + flow)| is at most `TOLERANCE` plus `TOLERANCE_GROWTH` of their lengths.
    """
    height, width = flow.shape[:2]
    target = pixel_grid(height, width) + flow
    back = cv2.remap(reverse, target, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    error = _length(flow + back)
    inside = (target >= 0.0).all(axis=-1) & (target[..., 0] <= width - 1) & (target[..., 1] <= height - 1)
    agree: Mask = error <= TOLERANCE + TOLERANCE_GROWTH * (_length(flow) + _length(back))
    usable: Mask = agree & inside
    return usable


def _length(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    length: NDArray[np.float32] = cv2.magnitude(np.ascontiguousarray(flow[..., 0]), np.ascontiguousarray(flow[..., 1]))
    return length
