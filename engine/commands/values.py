"""What is typed behind options, read into values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from ptfan.engine.errors import InputError
from ptfan.engine.runners.backends import BACKENDS, Backend

if TYPE_CHECKING:
    from ptfan.engine.frame import Box
    from ptfan.engine.inpainter import InpaintSettings
    from ptfan.engine.spec import CompletionName

__all__ = [
    "check_clip_and_mask",
    "parse_box",
    "parse_pixels",
    "parse_size",
    "read_backend",
    "read_boxes",
    "read_mask",
    "read_settings",
]


def read_mask(masks: list[Path] | None) -> Path | None:
    """Return the only mask; a second one is not silently taken in place of the first.

    Raises:
        InputError: there are several.
    """
    if masks is not None and len(masks) > 1:
        raise InputError(f"mask is given {len(masks)} times ({', '.join(map(str, masks))}); paint all into one picture")
    return masks[0] if masks else None


def read_boxes(texts: list[str] | None, what: str = "box") -> list[Box]:
    """Read each of `X,Y,W,H`, whole pixels of the frame as displayed.

    Args:
        texts: what an option was given; None where it was not.
        what: the option's name, for errors.

    Raises:
        InputError: a text is something else, or a box has no pixels.
    """
    return [parse_box(text, what) for text in texts or ()]


def parse_box(text: str, what: str = "box") -> Box:
    """Read one box; see `read_boxes`."""
    from ptfan.engine.frame import Box

    if not re.fullmatch(r"\s*(-?\d+\s*,\s*){2}\d+\s*,\s*\d+\s*", text):
        raise InputError(f"{what} {text!r}: expected X,Y,W,H in whole pixels, for instance 40,30,200,80")
    box = Box(*(int(part) for part in text.split(",")))
    if box.width == 0 or box.height == 0:
        raise InputError(f"{what} {text}: no pixels in it; width and height must be 1 or more")
    return box


def parse_size(text: str | None) -> tuple[int, int] | Literal["native"] | None:
    """Read `WxH` or `native`.

    Raises:
        InputError: the text is something else.
    """
    if text is None or text == "native":
        return cast("Literal['native'] | None", text)
    match = re.fullmatch(r"(\d+)[xX](\d+)", text)
    if match is None:
        raise InputError(f"size {text!r}: expected WxH or native, for instance 432x240")
    return int(match[1]), int(match[2])


def parse_pixels(text: str) -> tuple[int, int]:
    """Read `WxH` where `native` would mean nothing.

    Raises:
        InputError: the text is something else.
    """
    size = parse_size(text)
    if not isinstance(size, tuple):
        raise InputError("size is native, expected WxH, for instance 432x240")
    return size


def check_clip_and_mask(what: str, clip: str | Path | None, mask: Path | None) -> None:
    """Check that a clip comes with its mask, or neither does: then the demo's are taken.

    Args:
        what: who needs both, and the verb: how the error begins.
        clip: a video, as `--clip` names it.
        mask: its hole, as `--mask` does.

    Raises:
        InputError: only one of them is given.
    """
    if (clip is None) != (mask is None):
        raise InputError(f"{what} both --clip and --mask, or neither for the demo's")


def read_backend(text: str) -> Backend:
    """Read the name of a backend.

    Raises:
        InputError: there is none of that name.
    """
    if text not in ("auto", *BACKENDS):
        raise InputError(f"backend {text!r}: expected one of auto, {', '.join(BACKENDS)}")
    return cast("Backend", text)


def read_settings(
    *,
    size: str | None = None,
    no_crop: bool = False,
    window: int | None = None,
    stride: int | None = None,
    flow_completion: str = "learned",
    colour_completion: str = "learned",
    backend: str = "auto",
    device: int = 0,
    threads: int = 0,
) -> InpaintSettings:
    """Make settings of the options' values.

    Raises:
        InputError: a value is out of range.
    """
    from ptfan.engine.inpainter import InpaintSettings

    return InpaintSettings(
        size=parse_size(size),
        crop=not no_crop,
        window=window,
        stride=stride,
        flow_completion=cast("CompletionName", flow_completion),
        colour_completion=cast("CompletionName", colour_completion),
        backend=read_backend(backend),
        gpu=device,
        threads=threads,
    )
