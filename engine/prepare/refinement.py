"""Flow near a hole, estimated again from known pixels alone (masked Lucas-Kanade)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Mask, hole_box
from ptfan.engine.prepare.validity import length, pixel_axes

__all__ = ["REACH", "refine_flow"]

REACH = 8
"""Pixels from a vector to the last ones that it is estimated from."""
ITERATIONS = 2
"""Gauss-Newton steps."""
LONGEST = 2.0
"""The longest step, pixels: the equations are linear."""
DOUBT = 30.0
"""A difference in grey levels that halves a pixel's weight: another motion, or another light."""
STIFFNESS = 0.4
"""Squared grey levels a pixel: what holds a vector where the window shows hardly any texture."""

Plane = NDArray[np.float32]


def refine_flow(
    source: NDArray[np.uint8],
    target: NDArray[np.uint8],
    source_hole: Mask,
    target_hole: Mask,
    flow: Plane,
    region: Mask,
) -> Plane:
    """Estimate the flow once more in and round a region, in windows that see no pixel of either hole.

    An estimator that knows no mask matches what stands in the holes, too, and is wrong for several pixels round them,
    where it matters most. Here every vector solves the equations of Lucas and Kanade (1981) over the known pixels of
    its window, weighted down where they disagree; a window reaches into the hole by half its side. Vectors whose window
    shows nothing stay as they are, and so does the flow of pictures smaller than a window.

    Args:
        source: (H, W) luminance.
        target: (H, W), the frame that the flow leads to.
        source_hole: (H, W).
        target_hole: (H, W).
        flow: (H, W, 2) pixels, complete.
        region: (H, W), what begins or ends in a hole.

    Returns:
        (H, W, 2) pixels.
    """
    wanted = hole_box(region)
    if wanted is None or min(region.shape) < 2 * REACH:
        return flow
    frame = Box(0, 0, *region.shape[::-1])
    box = wanted.grown(2 * REACH + 1, frame)  # gradients look one pixel further than windows
    texture = _Texture(source[box.slices].astype(np.float32), source_hole[box.slices])
    # Nothing of the hole itself is looked up, not even the thousandth of a pixel that `_step` still takes for known.
    known = np.where(target_hole, np.float32(0), np.float32(1))
    looked_up = cv2.merge([target * known, known])
    answer = _iterate(texture, looked_up, flow[box.slices], box)
    near = wanted.grown(REACH, frame)  # beyond, windows reach out of the box that was looked at
    refined = np.array(flow)
    refined[near.slices] = answer[near.seen_from(box).slices]
    return refined


class _Texture:
    """What the source shows: luminance, its gradient, and where both are free of the hole."""

    def __init__(self, luminance: Plane, hole: Mask) -> None:
        self.luminance = luminance
        self.x = cv2.Sobel(luminance, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
        self.y = cv2.Sobel(luminance, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        near = cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8))
        self.known = np.where(near > 0, np.float32(0), np.float32(1))


def _iterate(texture: _Texture, looked_up: Plane, flow: Plane, box: Box) -> Plane:
    x, y = pixel_axes(*looked_up.shape[:2])
    x, y = x[:, box.slices[1]], y[box.slices[0]]
    u, v = (np.ascontiguousarray(plane) for plane in flow.transpose(2, 0, 1))
    for _ in range(ITERATIONS):
        found = cv2.remap(looked_up, u + x, v + y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        step_u, step_v = _step(texture, found[..., 0], found[..., 1])
        u += step_u
        v += step_v
    return np.asarray(cv2.merge([u, v]), np.float32)


def _step(texture: _Texture, luminance: Plane, known: Plane) -> tuple[Plane, Plane]:
    """Solve the two equations of every pixel's window; return the step in x and in y."""
    difference = luminance - texture.luminance
    weight = texture.known * (known > 0.999) / (1.0 + (difference * np.float32(1 / DOUBT)) ** 2)
    wx, wy = weight * texture.x, weight * texture.y
    xx, xy, yy, xd, yd = (
        _windowed(plane) for plane in (wx * texture.x, wx * texture.y, wy * texture.y, wx * difference, wy * difference)
    )
    xx += np.float32(STIFFNESS)
    yy += np.float32(STIFFNESS)
    determinant = xx * yy - xy * xy
    step_u: Plane = np.divide(xy * yd - yy * xd, determinant, dtype=np.float32)
    step_v: Plane = np.divide(xy * xd - xx * yd, determinant, dtype=np.float32)
    shorten = np.minimum(np.float32(1), LONGEST / np.maximum(length(step_u, step_v), np.float32(1e-6)))
    return step_u * shorten, step_v * shorten


def _windowed(plane: Plane) -> Plane:
    """Return the weighted mean of the window round every pixel; its weights fall linearly to zero at `REACH`."""
    side = (REACH + 1, REACH + 1)
    mean: Plane = cv2.boxFilter(cv2.boxFilter(plane, -1, side), -1, side)
    return mean
