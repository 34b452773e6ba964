"""How close a result is to the truth, and how steady it is over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.flow import FlowPair
from ptfan.engine.frame import Mask
from ptfan.engine.validity import pixel_grid

__all__ = ["psnr", "warping_error"]

Picture = NDArray[np.float32]


def psnr(result: Picture, truth: Picture, mask: Mask | None = None) -> float:
    """Return the peak signal-to-noise ratio in dB: -10 log10 of the mean squared error, computed in float64.

    Args:
        result: (H, W, 3) RGB in [0, 1].
        truth: (H, W, 3).
        mask: (H, W), the pixels that count; all if None.

    Returns:
        dB; infinite where both are equal, nan if no pixel counts.
    """
    difference = result.astype(np.float64) - truth
    if mask is not None:
        difference = difference[mask]
    if not difference.size:
        return math.nan
    error = float(np.mean(difference**2))
    return math.inf if error == 0 else -10.0 * math.log10(error)


def warping_error(results: Sequence[Picture], holes: Sequence[Mask], flows: Sequence[FlowPair]) -> float:
    """Return the mean squared difference between a frame and the next one warped onto it, inside the hole.

    Lai et al., 2018, restricted to what was made up: pixels of frame t's hole at which the flow of the complete clip
    is valid. In squared units of [0, 1]; multiply by 1,000 for the tables of the field.

    Args:
        results: T frames (H, W, 3) RGB in [0, 1].
        holes: T masks (H, W).
        flows: T - 1 pairs, estimated on the complete clip.
    """
    total, count = 0.0, 0
    for t, pair in enumerate(flows):
        counts = holes[t] & pair.forward_validity
        target = pixel_grid(*counts.shape) + pair.forward
        following = cv2.remap(results[t + 1], target, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        difference = (results[t].astype(np.float64) - following)[counts]
        total += float((difference**2).sum())
        count += difference.size
    return total / count if count else math.nan
