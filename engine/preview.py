"""One frame with its mask and crops drawn in, to look at before a long run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, OutputError
from ptfan.engine.frame import Box, Image, Mask
from ptfan.engine.inpainter import InpaintSettings, crop_rules
from ptfan.engine.masks.reader import AnyMask
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import Sample, Source, open_source
from ptfan.engine.media.notice import Warn, log_warning
from ptfan.engine.models import DEFAULT_MODEL
from ptfan.engine.prepare.crop import plan_crops
from ptfan.engine.runners.runner import open_model

__all__ = [
    "Preview",
    "check_picture_name",
    "draw_crops",
    "draw_grid",
    "draw_mask",
    "encode_picture",
    "encode_png",
    "preview",
    "to_8_bit",
]

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""
TINT = (40, 235, 90)
"""RGB of the hole and its outline; a dark line inside the outline makes it stand out on any colour."""
DARK = (0, 30, 10)
TINT_SHARE = 0.45
JPEG = (".jpg", ".jpeg")
CROP_COLOUR = (70, 220, 255)
"""RGB of the crops' borders."""


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
    object_id: int | None = None,
    dilate: int = 0,
    model: str | Path = DEFAULT_MODEL,
    settings: InpaintSettings | None = None,
    warn: Warn = log_warning,
) -> Preview:
    """Draw the first frame at or after a moment; the arguments are those of `inpaint`.

    With neither mask nor box there is a grid of coordinates instead, to find a box by. A run looks at the masks of a
    whole window: where the hole moves, its crops are larger than those of one frame.

    Raises:
        InputError: source, mask, model or an option cannot be used, or the video ends before that moment.
    """
    with open_source(source, at, warn=warn) as pictures:
        sample = _first(pictures, at)
        picture = to_8_bit(sample.image)
        if mask is None and not boxes:
            return Preview(draw_grid(picture), sample.index, sample.time, 0.0, ())
        with (
            open_mask(mask, boxes, object_id=object_id, dilate=dilate, info=pictures.info, warn=warn) as masks,
            open_model(model) as runner,
        ):
            hole = masks.hole_of(sample)
            crops = tuple(crop.box for crop in plan_crops(hole, crop_rules(runner.spec, settings or InpaintSettings())))
    picture = draw_crops(draw_mask(picture, hole), crops)
    return Preview(picture, sample.index, sample.time, float(hole.mean()), crops)


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


def to_8_bit(image: Image) -> Picture:
    """Return an image with 8 bits a sample."""
    scale = np.float32(255 / np.iinfo(image.dtype).max)
    picture: Picture = image if image.dtype == np.uint8 else np.rint(image * scale).astype(np.uint8)
    return picture


def check_picture_name(name: str) -> None:
    """Refuse a name for a picture whose ending is none; `-` is standard output.

    Raises:
        InputError: it ends in something else than `.png`, `.jpg` or `.jpeg`.
    """
    if name != "-" and Path(name).suffix.lower() not in (".png", *JPEG):
        raise InputError(f"{name}: has no picture's ending; expected .png or .jpg, or - for PNG on standard output")


def encode_picture(picture: Picture, name: str) -> bytes:
    """Return the picture as the content of a file of this name; see `check_picture_name`.

    Raises:
        OutputError: it cannot be encoded.
    """
    if Path(name).suffix.lower() not in JPEG:
        return encode_png(picture)
    done, content = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 95])
    if not done:
        raise OutputError("a picture cannot be encoded as JPEG")
    return content.tobytes()


def encode_png(picture: Picture) -> bytes:
    """Return the picture as a PNG file's content.

    Raises:
        OutputError: it cannot be encoded.
    """
    done, content = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    if not done:
        raise OutputError("a picture cannot be encoded as PNG")
    return content.tobytes()


def _round_step(least: float) -> int:
    """Return the next of 10, 20, 50, 100, 200 ... 5,000."""
    steps = [part * tens for tens in (10, 100, 1000) for part in (1, 2, 5)]
    return next((step for step in steps if step >= least), steps[-1])


def _write_number(picture: Picture, number: int, at: tuple[int, int], size: float) -> None:
    """Write a number, dark round it, so that it can be read on any colour."""
    thick = max(1, round(size))
    for colour, width in ((DARK, 4 * thick), (TINT, thick)):
        cv2.putText(picture, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, width, cv2.LINE_AA)


def _first(pictures: Source, at: float | Fraction) -> Sample:
    sample = next(iter(pictures), None)
    if sample is None:
        raise InputError(f"{pictures.info.name}: no frame at {float(at):g} s; the video ends before")
    return sample


def _shrunk(hole: Mask, pixels: int) -> Mask:
    """Return the hole without its outermost pixels; the frame's own border is no end of a hole."""
    inner = cv2.erode(hole.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=pixels, borderValue=1)
    return np.asarray(inner, np.bool_)


def _line_width(picture: Picture) -> int:
    return max(1, int(min(picture.shape[:2])) // 400)
