"""The holes that are cut into clips: drawn ones, random ones from a fixed seed, and masks that a dataset brings."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Mask
from ptfan.engine.prepare.completion import dilate
from ptfan.training.data.clips import Clip, MaskFiles
from ptfan.training.data.random_holes import random_holes
from ptfan.training.data.sample_config import MaskConfig

__all__ = [
    "HoleSource",
    "Shape",
    "box_holes",
    "caption_holes",
    "other_objects",
    "seeded_holes",
    "stored_holes",
    "text_holes",
]

OBJECT_MARGIN = 3
"""Pixels by which an object's mask is grown."""
PAUSE, SHOWN = 4, 12
"""Frames without and with a caption."""
WIDTHS = (240, 310, 180)
"""Of captions, pixels of 432."""
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class Shape:
    """How large a clip is as it is evaluated."""

    frames: int
    """T."""
    width: int
    """W, pixels."""
    height: int
    """H, pixels."""


HoleSource = Callable[[Clip, int, Shape], tuple[Mask, ...]]
"""From a clip, its place in the dataset and its shape to T masks (H, W), True in the hole; always the same."""


def box_holes(clip: Clip, place: int, shape: Shape) -> tuple[Mask, ...]:
    """Return a stationary box in the middle: 100x60 pixels in 432x240, in proportion elsewhere."""
    half_width, half_height = round(50 / 432 * shape.width), round(30 / 240 * shape.height)
    x, y = shape.width // 2, shape.height // 2
    hole = np.zeros((shape.height, shape.width), bool)
    hole[y - half_height : y + half_height, x - half_width : x + half_width] = True
    return (hole,) * shape.frames


def text_holes(clip: Clip, place: int, shape: Shape) -> tuple[Mask, ...]:
    """Return a stationary line of letters near the lower edge."""
    canvas = np.zeros((shape.height, shape.width), np.uint8)
    scale = shape.height / 240
    origin = (round(40 * scale), shape.height - round(30 * scale))
    thickness = max(1, round(6 * scale))
    cv2.putText(canvas, "Subtitle text here", origin, cv2.FONT_HERSHEY_SIMPLEX, 1.1 * scale, 1, thickness)
    return (canvas > 0,) * shape.frames


def caption_holes(clip: Clip, place: int, shape: Shape) -> tuple[Mask, ...]:
    """Return boxes of captions near the lower edge: each is there for `SHOWN` frames, after `PAUSE` without one."""
    across, down = shape.width / 432, shape.height / 240
    holes = []
    for t in range(shape.frames):
        number, since = divmod(t, PAUSE + SHOWN)
        hole = np.zeros((shape.height, shape.width), bool)
        if since >= PAUSE:
            half = round(WIDTHS[number % len(WIDTHS)] / 2 * across)
            middle = shape.width // 2
            hole[round(195 * down) : round(223 * down), middle - half : middle + half] = True
        holes.append(hole)
    return tuple(holes)


def seeded_holes(name: str, config: MaskConfig, seed: int) -> HoleSource:
    """Return a source of random holes; a clip's depend on the seed, the holes' name and the clip's name alone."""

    def source(clip: Clip, place: int, shape: Shape) -> tuple[Mask, ...]:
        rng = np.random.default_rng((seed, zlib.crc32(f"{name}/{clip.name}".encode())))
        return tuple(random_holes(rng, shape.frames, shape.height, shape.width, config))

    return source


def other_objects(clips: Sequence[Clip], offset: int) -> HoleSource:
    """Return a source of real objects' masks from another clip: the first with masks from `offset` places on, round.

    An object that moves by itself, in front of a scene that is known; never the clip's own, which hides what is behind
    it. Masks are grown by three pixels; a sequence that is too short runs back and forth.

    Raises:
        InputError: fewer than two clips have masks.
    """
    masks = [clip.masks for clip in clips]
    if (there := len(masks) - masks.count(None)) < 2:
        raise InputError(
            f"evaluation: {there} of {len(masks)} clips has masks of objects, expected 2 or more: an object comes from "
            "another clip; add masks, or leave out the object holes"
        )

    def source(clip: Clip, place: int, shape: Shape) -> tuple[Mask, ...]:
        order = ((place + offset + step) % len(masks) for step in range(len(masks)))
        files = next(found for index in order if index != place and (found := masks[index]) is not None)
        read = [dilate(_fitted(files, number, shape), OBJECT_MARGIN) for number in range(len(files.files))]
        return _back_and_forth(read[: shape.frames], shape.frames)

    return source


def stored_holes(masks: Sequence[MaskFiles], crosses: int) -> HoleSource:
    """Return a source of a dataset's own evaluation masks.

    Args:
        masks: for each clip; the last mask of a sequence stays.
        crosses: how often a mask is grown by a 3x3 cross.
    """

    def source(clip: Clip, place: int, shape: Shape) -> tuple[Mask, ...]:
        files = masks[place]
        numbers = [min(t, len(files.files) - 1) for t in range(shape.frames)]
        read = {number: _crossed(_fitted(files, number, shape), crosses) for number in sorted(set(numbers))}
        return tuple(read[number] for number in numbers)

    return source


def _fitted(files: MaskFiles, number: int, shape: Shape) -> Mask:
    mask = (files.read(number) > 0).astype(np.uint8)
    resized = cv2.resize(mask, (shape.width, shape.height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized, np.uint8) > 0


def _crossed(mask: Mask, times: int) -> Mask:
    if not times:
        return mask
    return np.asarray(cv2.dilate(mask.astype(np.uint8), CROSS, iterations=times), np.uint8) > 0


def _back_and_forth(masks: Sequence[Mask], frames: int) -> tuple[Mask, ...]:
    cycle = [*masks, *masks[-2:0:-1]]
    return tuple(cycle[t % len(cycle)] for t in range(frames))
