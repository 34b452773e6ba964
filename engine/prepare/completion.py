"""Completion of an image or a flow field from its known pixels, by a masked image pyramid (pull-push)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Mask, hole_box

__all__ = ["dilate", "erode", "pull_push", "times"]


def pull_push(values: NDArray[np.float32], known: NDArray[Any]) -> NDArray[np.float32]:
    """Fill the unknown pixels smoothly from the known ones.

    Pull: every level halves the one before, averaging known pixels alone. Push: from the coarsest level back, what a
    level does not know is read from the level above it. What stands in the unknown pixels has no influence.

    Args:
        values: (H, W) or (H, W, C) float32. OpenCV is fastest with one channel or four.
        known: (H, W), True or 1 where the value is known; or (H, W, C), where channels differ in that.

    Returns:
        The values' shape; known pixels keep their exact values; all zero if no pixel is known.
    """
    values = np.ascontiguousarray(values, np.float32)
    mask = np.ascontiguousarray(known > 0).view(np.uint8)
    kept = np.asarray(cv2.copyTo(values, mask), np.float32).reshape(values.shape)
    return _complete(kept, _levels(np.packbits(mask).tobytes(), mask.shape, values.shape[2:]))


@dataclass(frozen=True, eq=False)
class _Level:
    """What one level of the pyramid does, which depends on the mask alone; arrays have as many channels as values."""

    box: Box
    """The box of the pixels that this level does not know wholly."""
    rest: NDArray[np.float32]
    """In the box: the share that is read from the level above."""
    gain: NDArray[np.float32]
    """By what the level above multiplies its means, at that level's size; at the top, by what this one is divided."""


@lru_cache(maxsize=8)
def _levels(mask: bytes, shape: tuple[int, ...], channels: tuple[int, ...]) -> tuple[_Level, ...]:
    """Return the pyramid's levels, finest first, up to the first that is wholly known. Most holes stand still.

    Args:
        mask: a bit for each value, or for each pixel.
        shape: of the mask.
        channels: the values' shape but for its first two numbers.
    """
    known = np.unpackbits(np.frombuffer(mask, np.uint8), count=math.prod(shape))
    weight: NDArray[np.float32] = known.reshape(shape).astype(np.float32)
    levels: list[_Level] = []
    while (box := _unknown_box(weight)) is not None:
        rest = _spread(1.0 - weight[box.slices], channels)
        if weight.shape[:2] == (1, 1):
            return (*levels, _Level(box, rest, _spread(np.where(weight > 0.0, weight, np.float32(1)), channels)))
        coarse = _halved(weight)
        # A pixel with one known quarter is as good as known: the level above would only blur it.
        gain = np.minimum(4.0, 1.0 / np.maximum(coarse, np.float32(1e-6))).astype(np.float32)
        levels.append(_Level(box, rest, _spread(gain, channels)))
        weight = coarse * gain
    return tuple(levels)


def _spread(plane: NDArray[np.float32], channels: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a plane with as many channels as the values have, unless it has them already."""
    if plane.ndim > 2 or not channels:
        return plane
    return np.asarray(cv2.merge([plane] * channels[0]), np.float32).reshape(*plane.shape, *channels)


def _unknown_box(weight: NDArray[np.float32]) -> Box | None:
    """Return the box of the pixels that are not wholly known in every channel."""
    channels = weight.shape[2:]
    box = hole_box((weight < 1.0).reshape(len(weight), -1))
    if box is None or not channels:
        return box
    left, right = box.x // channels[0], -(-box.right // channels[0])
    return Box(left, box.y, right - left, box.height)


def _complete(weighted: NDArray[np.float32], levels: tuple[_Level, ...]) -> NDArray[np.float32]:
    """Complete, in place, values that are multiplied by their weights."""
    if not levels:
        return weighted
    level, *others = levels
    if weighted.shape[:2] == (1, 1):
        weighted /= level.gain
        return weighted
    above = _halved(weighted)
    above *= level.gain
    size = weighted.shape[1::-1]
    fine = cv2.resize(_complete(above, tuple(others)), size, interpolation=cv2.INTER_LINEAR).reshape(weighted.shape)
    weighted[level.box.slices] += fine[level.box.slices] * level.rest
    return weighted


def _halved(array: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width, *channels = array.shape
    size = ((width + 1) // 2, (height + 1) // 2)
    half: NDArray[np.float32] = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
    return half.reshape(*size[::-1], *channels)


def times(values: NDArray[np.float32], plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply (H, W) or (H, W, C) by (H, W)."""
    # numpy's broadcasting over a last axis of two or three is several times slower than this copy.
    return _spread(plane, values.shape[2:]) * values


def dilate(mask: Mask, radius: int) -> Mask:
    """Grow a mask by OpenCV's ellipse of `radius` pixels, nearly a disc (0 returns it unchanged)."""
    if radius <= 0:
        return mask
    grown: Mask = cv2.dilate(mask.astype(np.uint8), _disc(radius)).astype(bool)
    return grown


def erode(mask: Mask, radius: int) -> Mask:
    """Shrink a mask by the same ellipse (0 returns it unchanged); beyond the frame nothing is masked."""
    if radius <= 0:
        return mask
    kernel = _disc(radius)
    shrunk: Mask = cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(bool)
    return shrunk


def _disc(radius: int) -> NDArray[np.uint8]:
    disc: NDArray[np.uint8] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return disc
