"""How a pixel format lays its samples out in planes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["PixelLayout", "PlaneLayout", "bits_of", "has_alpha", "plain_format", "plane_rows"]

_PROBE = 16
"""Width and height of the pictures that formats are tried on: a multiple of every format's block."""


@dataclass(frozen=True)
class PlaneLayout:
    """One plane: a grid of groups of bytes, each of which belongs to one block of the picture's pixels."""

    group: int
    """Bytes a group."""
    block: tuple[int, int]
    """Width and height of a block, pixels."""
    alpha: tuple[bool, ...]
    """For each byte of a group whether it holds alpha."""


@dataclass(frozen=True)
class PixelLayout:
    """The planes of a pixel format."""

    planes: tuple[PlaneLayout, ...]
    """In the frame's order."""

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, name: str) -> PixelLayout:
        """Work out the layout of a format that `plain_format` leaves as it is."""
        frame = av.VideoFrame(_PROBE, _PROBE, name)
        return cls(tuple(_plane_layout(frame, index) for index in range(len(frame.planes))))

    @property
    def block(self) -> tuple[int, int]:
        """Width and height, in pixels, of the grid on which all planes' samples come together."""
        widths, heights = zip(*(plane.block for plane in self.planes), strict=True)
        return max(widths), max(heights)


@lru_cache(maxsize=64)
def plain_format(name: str) -> str:
    """Return the format itself, or where its samples are indices, bits or floats, a format of whole numbers."""
    pixel_format = av.VideoFormat(name)
    bits = bits_of(name)
    bits_in_bytes = not (pixel_format.is_bit_stream or pixel_format.has_palette or pixel_format.is_bayer)
    if bits_in_bytes and bits <= 16 and "f16" not in name and _can_be_written(name):
        return name
    if bits == 1 and not pixel_format.is_rgb:
        return "gray"
    return "rgb24" if bits <= 8 else "rgb48le"


def has_alpha(name: str) -> bool:
    """Tell whether a format has an alpha channel."""
    return any(part.is_alpha for part in av.VideoFormat(name).components)


def bits_of(name: str) -> int:
    """Return the bits of a format's deepest component; 8 where it names none."""
    return max((part.bits for part in av.VideoFormat(name).components), default=8)


def plane_rows(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """Return a plane's memory as (rows, bytes a row), padding included; it can be written to."""
    memory: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8)
    return memory.reshape(-1, plane.line_size)


def _can_be_written(name: str) -> bool:
    """Tell whether RGB can be converted to a format."""
    try:
        av.VideoFrame(_PROBE, _PROBE, "rgb24").reformat(format=name, threads=1)
    except (OSError, ValueError):
        return False
    return True


def _plane_layout(frame: av.VideoFrame, index: int) -> PlaneLayout:
    """Work out the layout of one plane of an empty frame."""
    plane, pixel_format = frame.planes[index], frame.format
    if len(frame.planes) > 1:
        parts = [part for part in pixel_format.components if part.plane == index]
        group = sum(1 if part.bits <= 8 else 2 for part in parts)
        block = (_PROBE // plane.width, _PROBE // plane.height)
    else:  # packed: pixels that share their chroma make one group
        width = _PROBE // pixel_format.chroma_width()
        group, block = pixel_format.padded_bits_per_pixel * width // 8, (width, 1)
    return PlaneLayout(group, block, tuple(bool(byte) for byte in _alpha_bytes(frame.format.name, index, group)))


def _alpha_bytes(name: str, index: int, group: int) -> NDArray[np.bool_]:
    """Find the bytes of alpha in a plane's groups: those in which clear and opaque differ."""
    if not has_alpha(name):
        return np.zeros(group, np.bool_)
    clear, opaque = (_first_group(name, index, group, value) for value in (0, 255))
    differs: NDArray[np.bool_] = clear != opaque
    return differs


def _first_group(name: str, index: int, group: int, alpha: int) -> NDArray[np.uint8]:
    """Return the first group of a plane of a grey picture of one alpha."""
    pixels = np.full((_PROBE, _PROBE, 4), 128, np.uint8)
    pixels[..., 3] = alpha
    frame = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=name, threads=1)
    first: NDArray[np.uint8] = plane_rows(frame.planes[index])[0, :group].copy()
    return first
