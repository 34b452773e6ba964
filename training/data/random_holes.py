"""Random holes for training: free-form strokes, object-like blobs, boxes, text and real objects' masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Mask
from ptfan.training.data.mask_shapes import Canvas, Draw, Track, blobs, boxes, pasted, strokes, text
from ptfan.training.data.sample_config import MASK_KINDS, MaskConfig

__all__ = ["hole_share", "random_holes"]

Rng = np.random.Generator
SHAPES = {"strokes": strokes, "blobs": blobs, "boxes": boxes, "text": text}
TRIES = 20
"""Shapes that are drawn before a plain box is taken."""
SEARCH = 8
"""Sizes that are tried for one shape."""
SCALES = (0.05, 20.0)
"""The smallest and the largest size that is tried, relative to a shape's usual one."""


def random_holes(
    rng: Rng,
    frames: int,
    height: int,
    width: int,
    config: MaskConfig | None = None,
    *,
    tracks: Sequence[Track] = (),
    shown: range | None = None,
) -> list[Mask]:
    """Draw one hole for each of `frames` frames; kind, size, place and motion are random, and decided by `rng`.

    Args:
        rng: what decides: the same state gives the same holes.
        frames: how many frames.
        height: of a frame, pixels.
        width: of a frame, pixels.
        config: which holes; the defaults without it.
        tracks: masks of other clips' objects, for holes of the kind `objects`.
        shown: frames of which at least one keeps a hole; all without it.

    Returns:
        `frames` masks (H, W), True in the hole. Before some are emptied (`MaskConfig.absent`), the mean of their shares
        of the frame lies within one of `MaskConfig.areas`.

    Raises:
        InputError: objects are wanted and there are no tracks.
    """
    config = config or MaskConfig()
    shown = shown if shown is not None else range(frames)
    if config.objects and not tracks:
        raise InputError("masks: objects of other clips are wanted (weight above 0), but no clip has masks")
    weights = np.array([getattr(config, kind) for kind in MASK_KINDS])
    area = config.areas[rng.integers(len(config.areas))]
    for _ in range(TRIES):
        kind = MASK_KINDS[rng.choice(len(MASK_KINDS), p=weights / weights.sum())]
        draw = (
            pasted(rng, frames, height, width, tracks)
            if kind == "objects"
            else SHAPES[kind](rng, frames, height, width, config.still)
        )
        canvases = _fitted(draw, area, float(rng.uniform(*area)))
        if canvases is not None and any(canvases[t].any() for t in shown):
            break
    else:
        canvases = [_middle_box(height, width, area)] * frames
    return _interrupted(rng, [canvas > 0 for canvas in canvases], config.absent, shown)


def hole_share(holes: Sequence[Mask]) -> float:
    """Return the holes' share of the frame, mean over the frames, as FVI groups its masks."""
    return float(np.mean([np.count_nonzero(hole) / hole.size for hole in holes]))


def _fitted(draw: Draw, area: tuple[float, float], goal: float) -> list[Canvas] | None:
    """Return the shape at its usual size if its area fits, else at one near the goal; None if none is found."""
    scale = 1.0
    for _ in range(SEARCH):
        canvases = draw(scale)
        share = hole_share([canvas > 0 for canvas in canvases])
        if area[0] <= share <= area[1]:
            return canvases
        scale = float(np.clip(scale * np.sqrt(goal / max(share, 1e-3)), *SCALES))
    return None


def _middle_box(height: int, width: int, area: tuple[float, float]) -> Canvas:
    side = np.sqrt((area[0] + area[1]) / 2)
    box = np.zeros((height, width), np.uint8)
    rows, columns = max(1, round(side * height)), max(1, round(side * width))
    top, left = (height - rows) // 2, (width - columns) // 2
    box[top : top + rows, left : left + columns] = 1
    return box


def _interrupted(rng: Rng, holes: list[Mask], absent: float, shown: range) -> list[Mask]:
    """Empty one stretch of frames, in twice the share of samples: it has half of a sample's frames on average."""
    if len(holes) < 2 or rng.random() >= 2 * absent:
        return holes
    length = int(rng.integers(1, len(holes)))
    start = int(rng.integers(len(holes) - length + 1))
    emptied = range(start, start + length)
    kept = [np.zeros_like(hole) if t in emptied else hole for t, hole in enumerate(holes)]
    return kept if any(kept[t].any() for t in shown) else holes
