"""Known pixels carried into the hole along the flow, from both sides of a window."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.completion import pull_push
from ptfan.engine.flow import FlowPair
from ptfan.engine.frame import Box, Mask
from ptfan.engine.validity import pixel_grid

__all__ = ["hole_box", "propagate"]

DECAY = 0.9
"""What is left of a pixel's confidence after one step along the flow."""
FAINT = 0.05
"""Confidence below which a carried pixel is dropped."""


def propagate(
    images: Sequence[NDArray[np.float32]], holes: Sequence[Mask], flows: Sequence[FlowPair]
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Fill holes with the pixels that neighbouring frames show there; the rest with a smooth completion.

    A known pixel steps from frame to frame along the completed flow while that is valid, losing confidence at every
    step. Arrivals from the past and from the future are mixed by the square of their confidence.

    Args:
        images: T frames (H, W, 3), RGB in [0, 1]; what stands in the holes has no influence.
        holes: T masks (H, W).
        flows: T - 1 pairs; pair t lies between frames t and t + 1.

    Returns:
        T filled frames (H, W, 3), and T confidences (H, W): 1 at known pixels, 0 where nothing arrived.
    """
    past = _carry(images, holes, [(pair.backward, pair.backward_validity) for pair in flows])
    future = _carry(images[::-1], holes[::-1], [(pair.forward, pair.forward_validity) for pair in flows[::-1]])[::-1]
    filled = [_merge(image, hole, a, b) for image, hole, a, b in zip(images, holes, past, future, strict=True)]
    return [item[0] for item in filled], [item[1] for item in filled]


def hole_box(hole: Mask) -> Box | None:
    """Return the smallest box round a hole, or None if the hole is empty."""
    x, y, width, height = cv2.boundingRect(hole.view(np.uint8))
    return Box(x, y, width, height) if width else None


def _carry(
    images: Sequence[NDArray[np.float32]],
    holes: Sequence[Mask],
    steps: Sequence[tuple[NDArray[np.float32], Mask]],
) -> list[NDArray[np.float32]]:
    """Carry pixels one way. Each result is (H, W, 4): colour times confidence, and confidence."""
    carried = [_known(images[0], holes[0])]
    for image, hole, (flow, valid) in zip(images[1:], holes[1:], steps, strict=True):
        here = _known(image, hole)
        box = hole_box(hole)
        if box is not None:
            rows, columns = box.slices
            target = pixel_grid(*hole.shape)[rows, columns] + flow[rows, columns]
            arrived = cv2.remap(carried[-1], target, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            arrived *= np.float32(DECAY) * (valid[rows, columns] & hole[rows, columns])[..., None]
            arrived *= (arrived[..., 3:] >= FAINT).astype(np.float32)
            here[rows, columns] += arrived
        carried.append(here)
    return carried


def _known(image: NDArray[np.float32], hole: Mask) -> NDArray[np.float32]:
    result = np.empty((*hole.shape, 4), np.float32)
    result[..., :3] = image
    result[..., 3] = 1.0
    result[hole] = 0.0
    return result


def _merge(
    image: NDArray[np.float32], hole: Mask, past: NDArray[np.float32], future: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mix both arrivals in the hole and complete what neither reached."""
    confidence = np.ones(hole.shape, np.float32)
    if not hole.any():
        return image, confidence
    # Both arrivals hold colour x confidence: weighting them by confidence once more squares it.
    a, b = past[hole], future[hole]
    weighted = a * a[:, 3:] + b * b[:, 3:]
    total = weighted[:, 3:]
    colour = weighted[:, :3] / np.maximum(total, np.float32(1e-6))
    confidence[hole] = np.maximum(a[:, 3], b[:, 3])
    filled = image.copy()
    filled[hole] = colour
    reached = confidence > 0
    return (filled if reached.all() else pull_push(filled, reached)), confidence
