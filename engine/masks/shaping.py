"""A mask of another size, and a larger hole."""

from __future__ import annotations

import cv2
import numpy as np

from ptfan.engine.frame import Mask

__all__ = ["grow_hole", "scale_mask"]


def scale_mask(mask: Mask, width: int, height: int) -> Mask:
    """Scale a mask to the nearest neighbour, pixel centres on pixel centres.

    Args:
        mask: (h, w), True in the hole.
        width: Width of the result, pixels.
        height: Height of the result, pixels.

    Returns:
        (height, width); the mask itself when the size is already right.
    """
    if mask.shape == (height, width):
        return mask
    rows = (2 * np.arange(height) + 1) * mask.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * mask.shape[1] // (2 * width)
    scaled: Mask = mask[rows[:, None], columns]
    return scaled


def grow_hole(mask: Mask, radius: int) -> Mask:
    """Grow the hole by an exact disc: a pixel is hole if any hole pixel lies within `radius` pixels, centre to centre.

    Args:
        mask: (H, W), True in the hole.
        radius: Pixels, 0 or more; 1 adds the four neighbours.

    Returns:
        (H, W); it contains the mask.
    """
    if radius == 0 or not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Squared distances are whole numbers: half-way between two of them, rounding cannot decide.
    return np.asarray(distance <= np.sqrt(radius * radius + 0.5), np.bool_)
