"""One frame with its mask and crops drawn in, to look at before a long run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Box
from ptfan.engine.inpainter import InpaintSettings, crop_rules
from ptfan.engine.masks.reader import AnyMask
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import Sample, Source, open_source
from ptfan.engine.models import DEFAULT_MODEL, find_model
from ptfan.engine.notices import Warn, log_warning
from ptfan.engine.pictures.drawing import draw_crops, draw_grid, draw_mask
from ptfan.engine.pictures.picture import Picture, to_8_bit
from ptfan.engine.prepare.crop import plan_crops
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.spec import ModelSpec

__all__ = ["Preview", "preview"]


@dataclass(frozen=True, eq=False)
class Preview:
    """A frame, what will be replaced, and what the network will see."""

    picture: Picture
    """(H, W, 3) RGB: the frame with mask and crops drawn in."""
    index: int
    """Which frame of the video it is, from 0."""
    time: Fraction
    """Its time stamp, seconds."""
    share: float
    """How much of the frame is hole, 0 to 1."""
    crops: tuple[Box, ...]
    """The regions that the network sees; empty when there is no hole."""


def preview(
    source: str | Path,
    at: float | Fraction = 0,
    *,
    mask: AnyMask | None = None,
    boxes: Sequence[Box] = (),
    text: Sequence[Box] = (),
    object_id: int | None = None,
    dilate: int = 0,
    rate: float | Fraction | str | None = None,
    model: str | Path = DEFAULT_MODEL,
    settings: InpaintSettings | None = None,
    warn: Warn = log_warning,
) -> Preview:
    """Draw the first frame at or after a moment; the arguments are those of `inpaint`.

    With no mask, no box and no place for text there is a grid of coordinates instead, to find a box by. A run looks at
    the masks of a whole window: where the hole moves, its crops are larger than those of one frame.

    Raises:
        InputError: source, mask, model or an option cannot be used, or the video ends before that moment.
    """
    with open_source(source, at, rate=rate, warn=warn) as pictures:
        sample = _first(pictures, at)
        picture = to_8_bit(sample.image)
        if mask is None and not boxes and not text:
            return Preview(draw_grid(picture), sample.index, sample.time, 0.0, ())
        with open_mask(
            mask, boxes, text=text, object_id=object_id, dilate=dilate, info=pictures.info, warn=warn
        ) as masks:
            hole = masks.hole_of(sample)
    crops = tuple(crop.box for crop in plan_crops(hole, crop_rules(_spec(model), settings or InpaintSettings())))
    picture = draw_crops(draw_mask(picture, hole), crops)
    return Preview(picture, sample.index, sample.time, float(hole.mean()), crops)


def _first(pictures: Source, at: float | Fraction) -> Sample:
    sample = next(iter(pictures), None)
    if sample is None:
        raise InputError(f"{pictures.info.name}: no frame at {float(at):g} s; the video ends before")
    return sample


def _spec(model: str | Path) -> ModelSpec:
    """Return what a model says of itself; of an ONNX file, nothing need be there that runs it."""
    path = find_model(model)
    if path.suffix == ".onnx":
        return read_spec(path)
    with open_runner(path) as runner:
        return runner.spec
