"""The frame where two answers differ most, as a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.difference import psnr_of
from ptfan.engine.frame import Box, Mask, hole_box
from ptfan.engine.pictures.drawing import draw_mask
from ptfan.engine.pictures.picture import Picture
from ptfan.engine.pictures.sheet import side_by_side, titles_above

__all__ = ["WorstFrame"]

CONTEXT = 24
"""Pixels round the hole that are shown."""
WIDEST = 480
"""A region narrower than half of this is enlarged, so that single pixels can be seen."""


@dataclass(frozen=True, eq=False)
class WorstFrame:
    """A frame's two answers."""

    index: int
    """Its number in the clip."""
    square: float
    """Mean square error in the hole, of answers clamped to [0, 1]."""
    hole: Mask
    """(H, W)."""
    answer: NDArray[np.float32]
    """(H, W, 3), the frame as the model fills it."""
    reference: NDArray[np.float32]
    """(H, W, 3), as the reference does."""

    @property
    def psnr(self) -> float:
        """PSNR in the hole, dB."""
        return psnr_of(self.square)

    def picture(self) -> Picture:
        """Draw the region round the hole: both answers and their amplified difference, with the hole outlined."""
        difference = np.abs(np.nan_to_num(self.answer) - self.reference)
        gain = _gain(float(difference.max()))
        region = _region(self.hole).slices
        pictures = [_enlarged(_to_8_bit(item[region])) for item in (self.answer, self.reference, difference * gain)]
        hole = _enlarged(self.hole[region].astype(np.uint8)).astype(bool)
        row = side_by_side([draw_mask(picture, hole, tint=False) for picture in pictures])
        return titles_above(row, ("model", "reference", f"difference x {gain:g}"))


def _gain(largest: float) -> float:
    """Return the power of ten that shows the largest difference without clipping it, 1 at least."""
    return 10.0 ** max(0, math.floor(-math.log10(largest))) if largest else 1.0


def _region(hole: Mask) -> Box:
    frame = Box(0, 0, *hole.shape[::-1])
    return (hole_box(hole) or frame).grown(CONTEXT, frame)


def _to_8_bit(pixels: NDArray[np.float32]) -> Picture:
    return np.rint(np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8)


def _enlarged(picture: Picture) -> Picture:
    scale = max(1, WIDEST // picture.shape[1])
    size = (picture.shape[1] * scale, picture.shape[0] * scale)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8)
