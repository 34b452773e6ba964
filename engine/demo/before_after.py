"""A sheet that shows frames of a video beside what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Mask
from ptfan.engine.masks import MaskSource
from ptfan.engine.media import Source, open_source
from ptfan.engine.preview import Picture, draw_mask, to_8_bit

__all__ = ["before_after"]

TITLES = ("input", "mask", "output")
GAP = 6
"""Pixels between two pictures."""
TITLE_HEIGHT = 28


def before_after(source: str | Path, masks: MaskSource, result: str | Path, *, rows: int = 4) -> Picture:
    """Lay frames out in rows: as they were, with the mask outlined, and with the hole filled.

    Args:
        source: The video that was inpainted, from its first frame.
        masks: Its masks.
        result: What came out, as many frames and as large.
        rows: How many frames to show, spread evenly over the video.

    Returns:
        (h, w, 3) RGB on white.

    Raises:
        InputError: a video cannot be read, or the number of its frames is not known.
    """
    with open_source(source) as before, open_source(result) as after:
        wanted = _spread(before, rows)
        inputs, outputs = _take(before, wanted), _take(after, wanted)
    strips = [
        _row(old, masks.at(index, old.shape[1], old.shape[0]), new)
        for index, old, new in zip(wanted, inputs, outputs, strict=True)
    ]
    return np.vstack([_title(strips[0].shape[1], inputs[0].shape[1]), *strips])


def _spread(video: Source, count: int) -> list[int]:
    frames = video.info.frames
    if frames is None:
        raise InputError(f"{video.info.name}: the number of frames is not known; expected a file or folder")
    count = min(count, frames)
    return [(2 * row + 1) * frames // (2 * count) for row in range(count)]


def _take(video: Source, wanted: Sequence[int]) -> list[Picture]:
    return [to_8_bit(sample.image) for sample in video if sample.index in wanted]


def _row(before: Picture, hole: Mask, after: Picture) -> Picture:
    pictures = (before, draw_mask(before, hole, tint=False), after)
    padded = [np.pad(picture, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for picture in pictures]
    return np.hstack(padded)[:, :-GAP]


def _title(width: int, column: int) -> Picture:
    strip = np.full((TITLE_HEIGHT, width, 3), 255, np.uint8)
    for place, title in enumerate(TITLES):
        at = (place * (column + GAP) + 2, TITLE_HEIGHT - 9)
        cv2.putText(strip, title, at, cv2.FONT_HERSHEY_DUPLEX, 0.6, (40, 40, 40), 1, cv2.LINE_AA)
    return strip
