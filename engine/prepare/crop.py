"""What the network sees of a frame: a region round the hole, scaled down to the working size when it is larger."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Image, Mask, hole_box

__all__ = ["Crop", "CropRules", "fit_crop", "plan_crops"]

CONTEXT = 0.35
"""Context on each side of a hole, as a share of the hole's own extent."""
CONTEXT_LEAST = 32 / 240
"""The least context, as a share of the frame's shorter side: at 432x240, 32 pixels."""
WHOLE = 0.7
"""A crop that covers more than this share of the frame becomes the whole frame."""


@dataclass(frozen=True)
class CropRules:
    """What crops may look like."""

    working_size: tuple[int, int] | None = (432, 240)
    """(width, height): a crop with more pixels than this is scaled down to as many; None keeps its own size."""
    multiple: int = 8
    """The network's sides are multiples of this."""
    whole_frame: bool = False
    """Always show the network the whole frame."""
    fixed_size: tuple[int, int] | None = None
    """The only (width, height) that the network takes, or None."""
    smallest: tuple[int, int] | None = None
    """The least width and height that it takes, multiples, or None; smaller crops are padded."""
    largest: tuple[int, int] | None = None
    """The most, multiples, or None; larger crops are scaled down."""


@dataclass(frozen=True)
class Crop:
    """A region of the frame and the size at which the network sees it."""

    box: Box
    """The region, pixels of the frame."""
    size: tuple[int, int]
    """(width, height) of the region at working size; never larger than the region."""
    padded: tuple[int, int]
    """(width, height) with the padding at the right and the bottom that the network needs."""

    def extract(self, image: Image, hole: Mask) -> tuple[NDArray[np.float32], Mask]:
        """Return the region at working size, padded with its outermost pixels.

        A working-size pixel that the hole touches is hole, so that every other is made of known pixels alone.

        Args:
            image: (H, W, 3) uint8 or uint16.
            hole: (H, W).

        Returns:
            (h, w, 3) RGB in [0, 1], zero in the hole, and (h, w) hole.
        """
        missing = hole[self.box.slices]
        known = cv2.copyTo(image[self.box.slices], np.ascontiguousarray(~missing).view(np.uint8))
        pixels = np.asarray(known, np.float32)
        if self.size != (self.box.width, self.box.height):
            pixels, missing = _shrink(pixels, missing, self.size)
        pixels *= np.float32(1.0 / np.iinfo(image.dtype).max)
        return self._pad(pixels), self._pad(missing.astype(np.uint8)).astype(bool)

    def restore(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a picture of the padded working size at the region's own size, (box.height, box.width, 3)."""
        width, height = self.size
        inner = pixels[:height, :width]
        if self.size == (self.box.width, self.box.height):
            return inner
        target = (self.box.width, self.box.height)
        return np.asarray(cv2.resize(inner, target, interpolation=cv2.INTER_CUBIC), np.float32)

    def _pad(self, array: NDArray[Any]) -> NDArray[Any]:
        right, bottom = self.padded[0] - self.size[0], self.padded[1] - self.size[1]
        if not right and not bottom:
            return array
        return np.asarray(cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_REPLICATE))


def _shrink(pixels: NDArray[np.float32], missing: Mask, size: tuple[int, int]) -> tuple[NDArray[np.float32], Mask]:
    shrunk = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
    if not missing.any():
        return shrunk, np.zeros(size[::-1], bool)
    # Pixels that are wholly known need no normalisation, and all others are hole.
    touched = cv2.resize(missing.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 1e-5
    shrunk[touched] = 0.0
    return shrunk, touched


def plan_crops(hole: Mask, rules: CropRules) -> list[Crop]:
    """Choose the crops for a hole (usually the union of a window's holes).

    Every part of the hole lies inside a crop, with context where the frame has it. Parts whose crops would overlap
    share one.

    Args:
        hole: (H, W), True in the hole.
        rules: what crops may look like.

    Returns:
        Crops whose boxes do not overlap; empty if the hole is empty.
    """
    whole = hole_box(hole)
    if whole is None:
        return []
    height, width = hole.shape
    frame = Box(0, 0, width, height)
    if rules.whole_frame:
        return [fit_crop(frame, rules)]
    boxes = _merge_overlapping([_with_context(box, frame, rules.multiple) for box in _parts(hole)])
    if sum(box.width * box.height for box in boxes) > WHOLE * width * height:
        boxes = [frame]
    return [fit_crop(box, rules) for box in boxes]


def fit_crop(box: Box, rules: CropRules) -> Crop:
    """Return the crop that shows `box` at the largest size the rules allow, never enlarged."""
    scale, multiple = 1.0, rules.multiple
    if rules.fixed_size is not None:
        scale = min(1.0, rules.fixed_size[0] / box.width, rules.fixed_size[1] / box.height)
    elif rules.working_size is not None:
        budget = rules.working_size[0] * rules.working_size[1]
        scale = min(1.0, math.sqrt(budget / (box.width * box.height)))
    if rules.largest is not None:
        scale = min(scale, rules.largest[0] / box.width, rules.largest[1] / box.height)
    width, height = _scaled(box.width, scale, multiple), _scaled(box.height, scale, multiple)
    if rules.fixed_size is not None:
        # Rounding to the multiple could lead out of the fixed size.
        width, height = max(1, round(box.width * scale)), max(1, round(box.height * scale))
    least = rules.smallest or (multiple, multiple)
    padded = rules.fixed_size or (_filled(width, multiple, least[0]), _filled(height, multiple, least[1]))
    return Crop(box, (width, height), padded)


def _scaled(side: int, scale: float, multiple: int) -> int:
    """Return a scaled side, rounded to the multiple so that it needs no padding; never enlarged."""
    if scale == 1.0:
        return side
    return min(side, max(multiple, round(side * scale / multiple) * multiple))


def _filled(side: int, multiple: int, least: int) -> int:
    """Return a side filled up to a multiple."""
    return max(least, -(-side // multiple) * multiple)


def _parts(hole: Mask) -> list[Box]:
    """Return the boxes of the hole's connected parts."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(hole.view(np.uint8), connectivity=8)
    return [Box(*(int(value) for value in stats[label, :4])) for label in range(1, count)]


def _with_context(box: Box, frame: Box, multiple: int) -> Box:
    least = CONTEXT_LEAST * min(frame.width, frame.height)
    x, width = _widen(box.x, box.width, frame.width, max(least, CONTEXT * box.width), multiple)
    y, height = _widen(box.y, box.height, frame.height, max(least, CONTEXT * box.height), multiple)
    return Box(x, y, width, height)


def _widen(start: int, length: int, limit: int, margin: float, multiple: int) -> tuple[int, int]:
    """Widen an interval by `margin` on both sides to a multiple, inside [0, limit)."""
    wanted = -(-math.ceil(length + 2 * margin) // multiple) * multiple
    if wanted >= limit:
        return 0, limit
    first = start + length // 2 - wanted // 2
    return min(max(0, first), limit - wanted), wanted


def _merge_overlapping(boxes: Sequence[Box]) -> list[Box]:
    merged: list[Box] = []
    for box in boxes:
        # A union can reach boxes that neither of its parts touched: start over with it.
        while (other := next((o for o in merged if o.overlaps(box)), None)) is not None:
            merged.remove(other)
            box = box.union(other)
        merged.append(box)
    return sorted(merged)
