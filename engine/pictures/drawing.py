"""What is drawn into pictures: a mask, crops, a grid of coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ptfan.engine.frame import Box, Mask
from ptfan.engine.pictures.picture import Picture

__all__ = ["CROP_COLOUR", "DARK", "TINT", "draw_crops", "draw_grid", "draw_mask"]

TINT = (40, 235, 90)
"""RGB of the hole and its outline; a dark line inside the outline makes it stand out on any colour."""
DARK = (0, 30, 10)
TINT_SHARE = 0.45
CROP_COLOUR = (70, 220, 255)
"""RGB of the crops' borders."""


def draw_mask(picture: Picture, hole: Mask, *, tint: bool = True) -> Picture:
    """Return the picture with the hole tinted and outlined; the outline lies inside the hole.

    Args:
        picture: (H, W, 3) RGB.
        hole: (H, W).
        tint: Whether to tint; else there is only the outline.
    """
    result: Picture = picture.copy()
    if tint:
        mixed = (1 - TINT_SHARE) * picture[hole] + TINT_SHARE * np.array(TINT)
        result[hole] = np.rint(mixed).astype(np.uint8)
    width = _line_width(picture)
    inner, core = _shrunk(hole, width), _shrunk(hole, 2 * width)
    result[inner & ~core] = DARK
    result[hole & ~inner] = TINT
    return result


def draw_crops(picture: Picture, crops: Sequence[Box]) -> Picture:
    """Return the picture with a border just inside each box."""
    result: Picture = picture.copy()
    width = _line_width(picture)
    for box in crops:
        frame = np.ones((box.height, box.width), bool)
        frame[width : box.height - width, width : box.width - width] = False
        result[box.slices][frame] = CROP_COLOUR
    return result


def draw_grid(picture: Picture) -> Picture:
    """Return the picture with lines at round coordinates, some ten of them across, and their numbers at the edges."""
    result: Picture = picture.copy()
    height, width = picture.shape[:2]
    step, thick, size = _round_step(max(height, width) / 10), _line_width(picture), max(0.5, min(height, width) / 900)
    for x in range(step, width, step):
        cv2.line(result, (x, 0), (x, height), TINT, thick)
        _write_number(result, x, (x + 2 * thick, round(25 * size)), size)
    for y in range(step, height, step):
        cv2.line(result, (0, y), (width, y), TINT, thick)
        _write_number(result, y, (2 * thick, y - 3 * thick), size)
    return result


def _round_step(least: float) -> int:
    """Return the next of 10, 20, 50, 100, 200 ... 5,000."""
    steps = [part * tens for tens in (10, 100, 1000) for part in (1, 2, 5)]
    return next((step for step in steps if step >= least), steps[-1])


def _write_number(picture: Picture, number: int, at: tuple[int, int], size: float) -> None:
    """Write a number, dark round it, so that it can be read on any colour."""
    thick = max(1, round(size))
    for colour, width in ((DARK, 4 * thick), (TINT, thick)):
        cv2.putText(picture, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, width, cv2.LINE_AA)


def _shrunk(hole: Mask, pixels: int) -> Mask:
    """Return the hole without its outermost pixels; the frame's own border is no end of a hole."""
    inner = cv2.erode(hole.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=pixels, borderValue=1)
    return np.asarray(inner, np.bool_)


def _line_width(picture: Picture) -> int:
    return max(1, int(min(picture.shape[:2])) // 400)
