"""How steady a result is: frames are compared with the next ones, warped onto them along the complete clip's flow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.flow import FlowPair

__all__ = ["field_occlusion", "field_warping_error", "warping_error"]

Pictures = Sequence[NDArray[np.uint8]]
Flow = NDArray[np.float32]


def warping_error(results: Pictures, holes: Sequence[Mask], flows: Sequence[FlowPair]) -> float:
    """Return the mean squared difference between a frame and the next one warped onto it, inside the hole.

    Lai et al. (2018), restricted to what was made up: pixels of frame t's hole at which the flow of the complete clip
    is valid (it leads back, and stays inside). One mean over all these pixels and channels, in float64, bilinear.

    Args:
        results: T frames (H, W, 3) RGB.
        holes: T masks (H, W).
        flows: T - 1 pairs, estimated on the complete clip.

    Returns:
        In squared units of [0, 1] (multiply by 1,000 for the tables of the field); nan if no pixel counts.
    """
    total, count = 0.0, 0
    for t, pair in enumerate(flows):
        difference = _difference(results[t], results[t + 1], pair.forward, holes[t] & pair.forward_validity)
        total += float((difference**2).sum())
        count += difference.size
    return total / count if count else math.nan


def field_warping_error(
    results: Pictures, flows: Sequence[FlowPair], occlusions: Sequence[Mask] | None = None
) -> float:
    """Return the warping error as its authors compute it (Lai et al., 2018): of whole frames.

    For each pair of frames the mean squared difference where `field_occlusion` is False; then the mean over pairs.
    The tables of the field are made with FlowNet2's flow of the complete clip; here it is the flow that is given.

    Args:
        results: T frames (H, W, 3) RGB.
        flows: T - 1 pairs, estimated on the complete clip.
        occlusions: `field_occlusion` of the pairs, if that is known already.

    Returns:
        In squared units of [0, 1]; nan for a single frame.
    """
    if occlusions is None:
        occlusions = [field_occlusion(pair.forward, pair.backward) for pair in flows]
    errors = []
    for t, (pair, occluded) in enumerate(zip(flows, occlusions, strict=True)):
        difference = _difference(results[t], results[t + 1], pair.forward, ~occluded)
        errors.append(float(np.mean(difference**2)) if difference.size else 0.0)
    return float(np.mean(errors)) if errors else math.nan


def field_occlusion(forward: Flow, backward: Flow) -> Mask:
    """Tell where a frame cannot be compared with the next one, by the two tests of Ruder et al. (2016).

    With f the forward flow and b the backward flow where f leads: |f + b|^2 > 0.01 (|f|^2 + |b|^2) + 0.5, or a motion
    boundary: the squared differences of f to the next column and row sum to more than 0.01 |f|^2 + 0.002.

    Args:
        forward: (H, W, 2) pixels, from frame t to t + 1.
        backward: (H, W, 2) pixels, from frame t + 1 to t.

    Returns:
        (H, W), True where frame t cannot be compared.
    """
    height, width = forward.shape[:2]
    flow = forward.astype(np.float64)
    back = _sampled(backward, forward, np.ones((height, width), bool)).reshape(flow.shape)
    length, back_length = (flow**2).sum(axis=-1), (back**2).sum(axis=-1)
    occluded = ((flow + back) ** 2).sum(axis=-1) > 0.01 * (length + back_length) + 0.5
    slope = np.zeros((height, width))
    slope[:, :-1] += (np.diff(flow, axis=1) ** 2).sum(axis=-1)
    slope[:-1] += (np.diff(flow, axis=0) ** 2).sum(axis=-1)
    return np.asarray(occluded | (slope > 0.01 * length + 0.002))


def _difference(now: NDArray[np.uint8], following: NDArray[np.uint8], flow: Flow, counts: Mask) -> NDArray[np.float64]:
    """Return (N, 3): how the pixels that count differ from where they are found in the next frame, in [-1, 1]."""
    return (now[counts] - _sampled(following, flow, counts)) / 255.0


def _sampled(values: NDArray[Any], flow: Flow, counts: Mask) -> NDArray[np.float64]:
    """Sample (H, W, C) at p + flow for the pixels p that count: (N, C). Bilinear, the outermost pixels go on for ever.

    Exact, unlike OpenCV's remapping, which rounds places to 1/32 of a pixel.
    """
    height, width = counts.shape
    rows, columns = np.nonzero(counts)
    moved = flow[counts].astype(np.float64)
    x, y = np.clip(columns + moved[:, 0], 0, width - 1), np.clip(rows + moved[:, 1], 0, height - 1)
    left, top = x.astype(np.intp), y.astype(np.intp)
    share_x, share_y = x - left, y - top
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    flat = values.reshape(height * width, -1)
    sampled = flat.take(top * width + left, axis=0) * ((1 - share_x) * (1 - share_y))[:, None]
    sampled += flat.take(top * width + right, axis=0) * (share_x * (1 - share_y))[:, None]
    sampled += flat.take(bottom * width + left, axis=0) * ((1 - share_x) * share_y)[:, None]
    sampled += flat.take(bottom * width + right, axis=0) * (share_x * share_y)[:, None]
    return np.asarray(sampled, np.float64)
