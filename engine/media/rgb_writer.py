"""From RGB pictures to frames of another pixel format, so that what was read as RGB is written back as it was."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Image
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.rgb import RgbConverter

__all__ = ["write_rgb"]

_SCALING = 0x4 | 0x40000 | 0x4000
"""libswscale's bicubic filter for the chroma, accurate rounding, and chroma from all pixels."""
_PROBE = 64
"""Width and height of the picture that the bias is measured on."""


def write_rgb(picture: Image, name: str, colour: ColourTags) -> av.VideoFrame:
    """Convert an RGB picture to a frame.

    libswscale rounds down on its fast ways from YUV to RGB. A picture that was read so is a little too dark, up to 3
    levels of 255 by format; written back as it is, a filled hole would stand out from the samples that stay. So what
    the reading took away on average is given back, with 16 bits a sample in between.

    Args:
        picture: (H, W, 3) RGB, uint8 or uint16, as `RgbConverter` reads it.
        name: FFmpeg's name of the pixel format.
        colour: Colour tags of the frame.
    """
    if av.VideoFormat(name).is_rgb:
        return _convert(picture, name, colour)
    if picture.dtype == np.uint8:
        return _convert(np.asarray(cv2.LUT(np.ascontiguousarray(picture), _levels(name, colour))), name, colour)
    return _convert(_raised(picture, name, colour), name, colour)


def _raised(picture: NDArray[Any], name: str, colour: ColourTags) -> NDArray[np.uint16]:
    """Return an RGB picture of 16 bits a sample with what the reading took away."""
    exact = picture.astype(np.float32) + _bias(name, colour)
    raised: NDArray[np.uint16] = np.rint(exact.clip(0, 65535)).astype(np.uint16)
    return raised


@lru_cache(maxsize=64)
def _levels(name: str, colour: ColourTags) -> NDArray[np.uint16]:
    """Return the same for every level of 8 bits, (1, 256, 3)."""
    grey = 257 * np.arange(256)[None, :, None]
    return _raised(np.broadcast_to(grey, (1, 256, 3)), name, colour)


def _convert(picture: Image, name: str, colour: ColourTags) -> av.VideoFrame:
    """Convert a picture as accurately as libswscale can."""
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24" if picture.dtype == np.uint8 else "rgb48le")
    colour.write(frame)
    return frame.reformat(format=name, interpolation=_SCALING, threads=1)


@lru_cache(maxsize=64)
def _bias(name: str, colour: ColourTags) -> NDArray[np.float32]:
    """Measure what reading a format takes away: (3,) RGB, in steps of 1/65535."""
    picture = _probe(grey=len(av.VideoFormat(name).components) <= 2)
    read = RgbConverter().convert(_convert(picture, name, colour))
    scale = 257 if read.dtype == np.uint8 else 1
    lost: NDArray[np.float32] = (picture - read.astype(np.float32) * scale).mean(axis=(0, 1))
    return lost


def _probe(*, grey: bool) -> NDArray[np.uint16]:
    """Make a smooth picture of middling colours, (H, W, 3)."""
    y, x = np.mgrid[:_PROBE, :_PROBE] * (150 / _PROBE)
    channels = [x + 60, x + 60, x + 60] if grey else [x + 60, y + 60, 210 - x * 0.6 - y * 0.4]
    picture: NDArray[np.uint16] = np.rint(np.stack(channels, -1) * 257).astype(np.uint16)
    return picture
