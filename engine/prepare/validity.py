"""Where a flow vector can be used: the validity mask (PTFAN, section 3.2)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Mask

__all__ = ["leads_into", "length", "pixel_axes", "targets", "validity"]

TOLERANCE = 1.0
"""Pixels by which forward and backward flow may always disagree."""
TOLERANCE_GROWTH = 0.05
"""Further disagreement allowed, per pixel of the two flows' length."""


def pixel_axes(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return every column's x, (1, W), and every row's y, (H, 1)."""
    return np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]


def length(u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the length of vectors (u, v), of any equal shapes.

    OpenCV's `magnitude` differs in the last bit with the place in memory that its result happens to get, so that equal
    inputs would not always give equal samples and pictures.
    """
    squares: NDArray[np.float32] = u * u
    squares += v * v
    return np.sqrt(squares, out=squares)


def targets(flow: NDArray[np.float32], box: Box) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the x and the y that a flow leads to from each pixel of a box, (h, w) each.

    Args:
        flow: (H, W, 2) pixels.
        box: of the flow's frame.
    """
    rows, columns = box.slices
    x, y = pixel_axes(*flow.shape[:2])
    u, v = np.ascontiguousarray(flow[rows, columns].transpose(2, 0, 1))
    return u + x[:, columns], v + y[rows]


def leads_into(mask: Mask, flow: NDArray[np.float32]) -> Mask:
    """Tell where a flow ends in a mask of the frame that it leads to.

    Args:
        mask: (H, W).
        flow: (H, W, 2) pixels.

    Returns:
        (H, W), False where the flow leads out of the frame.
    """
    height, width = mask.shape
    x, y = targets(flow, Box(0, 0, width, height))
    share = mask.view(np.uint8) * np.uint8(255)  # a third of the time that floats take
    return np.asarray(cv2.remap(share, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) > 127)


def validity(flow: NDArray[np.float32], reverse: NDArray[np.float32]) -> Mask:
    """Tell where `flow` points inside the frame and `reverse` leads back to the start.

    Args:
        flow: (H, W, 2) pixels, from a frame to its neighbour.
        reverse: (H, W, 2) pixels, from the neighbour to the frame.

    Returns:
        (H, W), True where |flow + reverse(p + flow)| is at most `TOLERANCE` plus `TOLERANCE_GROWTH` of their lengths.
    """
    height, width = flow.shape[:2]
    u, v = np.ascontiguousarray(flow.transpose(2, 0, 1))
    columns, rows = pixel_axes(height, width)
    x, y = u + columns, v + rows
    back = cv2.remap(reverse, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    back_u, back_v = np.ascontiguousarray(back.transpose(2, 0, 1))
    allowed = length(u, v)
    allowed += length(back_u, back_v)
    allowed *= np.float32(TOLERANCE_GROWTH)
    allowed += np.float32(TOLERANCE)
    back_u += u
    back_v += v
    usable: Mask = length(back_u, back_v) <= allowed
    for position, last in ((x, width - 1), (y, height - 1)):
        usable &= position >= 0.0
        usable &= position <= last
    return usable
