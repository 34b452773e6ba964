"""A picture of 8 bits, and its file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, OutputError
from ptfan.engine.frame import Image

__all__ = ["Picture", "check_picture_name", "encode_jpeg", "encode_picture", "encode_png", "to_8_bit"]

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""
JPEG = (".jpg", ".jpeg")
JPEG_QUALITY = 95
"""On libjpeg's scale, which ends at 100."""


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
    return encode_jpeg(picture) if Path(name).suffix.lower() in JPEG else encode_png(picture)


def encode_png(picture: Picture) -> bytes:
    """Return the picture as a PNG file's content.

    Raises:
        OutputError: it cannot be encoded.
    """
    return _encoded(picture, ".png")


def encode_jpeg(picture: Picture) -> bytes:
    """Return the picture as a JPEG file's content.

    Raises:
        OutputError: it cannot be encoded.
    """
    return _encoded(picture, ".jpg", cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)


def _encoded(picture: Picture, ending: str, *settings: int) -> bytes:
    done, content = cv2.imencode(ending, np.ascontiguousarray(picture[..., ::-1]), settings)
    if not done:
        raise OutputError(f"a picture cannot be encoded as {ending}")
    return content.tobytes()
