"""A sheet that shows frames of a video beside what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Mask
from ptfan.engine.masks.source import MaskSource
from ptfan.engine.media import Source, open_source
from ptfan.engine.pictures.drawing import draw_mask
from ptfan.engine.pictures.picture import Picture, to_8_bit
from ptfan.engine.pictures.sheet import side_by_side, titles_above

__all__ = ["before_after"]

TITLES = ("input", "mask", "output")


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
    return np.vstack([titles_above(strips[0], TITLES), *strips[1:]])


def _spread(video: Source, count: int) -> list[int]:
    frames = video.info.frames
    if frames is None:
        raise InputError(f"{video.info.name}: the number of frames is not known; expected a file or folder")
    count = min(count, frames)
    return [(2 * row + 1) * frames // (2 * count) for row in range(count)]


def _take(video: Source, wanted: Sequence[int]) -> list[Picture]:
    return [to_8_bit(sample.image) for sample in video if sample.index in wanted]


def _row(before: Picture, hole: Mask, after: Picture) -> Picture:
    return side_by_side((before, draw_mask(before, hole, tint=False), after))
