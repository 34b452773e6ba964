"""How a coded picture is turned to be shown: the eight ways that a display matrix can name."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["UPRIGHT", "Orientation"]


@dataclass(frozen=True)
class Orientation:
    """A quarter turn, with or without a mirror: first transposed, then flipped."""

    transpose: bool = False
    """Whether rows and columns change places."""
    flip_x: bool = False
    """Whether, after that, left and right change places."""
    flip_y: bool = False
    """Whether, after that, top and bottom change places."""

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Orientation:
        """Read the orientation of a decoded frame from its display matrix; upright where it has none."""
        matrix = display_matrix(frame)
        return cls.from_matrix(matrix) if matrix else UPRIGHT

    @classmethod
    def from_matrix(cls, matrix: tuple[int, ...]) -> Orientation:
        """Read a display matrix of nine integers in FFmpeg's layout; turns off the quarters go to the nearest one."""
        a, b, _, c, d, *_ = matrix
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @property
    def rotation(self) -> int:
        """Degrees clockwise that the coded picture is turned, mirrors left aside: 0, 90, 180 or 270."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """The libavfilter filters that do the same, as (name, arguments), in order."""
        chain = [("transpose", "cclock_flip")] if self.transpose else []
        chain += [("hflip", "")] if self.flip_x else []
        chain += [("vflip", "")] if self.flip_y else []
        return tuple(chain)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height as displayed of a coded width and height (or the other way round)."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """Turn a coded picture (H, W, ...) into the displayed one, contiguous."""
        turned = array.swapaxes(0, 1) if self.transpose else array
        turned = turned[:, ::-1] if self.flip_x else turned
        turned = turned[::-1] if self.flip_y else turned
        return np.ascontiguousarray(turned)

    def undo(self, array: NDArray[Any]) -> NDArray[Any]:
        """Turn a displayed picture (H, W, ...) back into the coded one, contiguous."""
        turned = array[:, ::-1] if self.flip_x else array
        turned = turned[::-1] if self.flip_y else turned
        turned = turned.swapaxes(0, 1) if self.transpose else turned
        return np.ascontiguousarray(turned)


UPRIGHT = Orientation()
"""The picture is shown as it is coded."""


def display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    """Return the nine integers of a frame's display matrix, or None where it has none."""
    try:
        side_data = frame.side_data
    except ValueError:
        # PyAV refuses all side data where it has no name for one kind, such as EXIF; mirrors are lost, turns are not.
        return _rotation_matrix(frame.rotation)
    for item in side_data:
        if item.type.name == "DISPLAYMATRIX":
            return struct.unpack("9i", bytes(item))
    return None


def _rotation_matrix(degrees: int) -> tuple[int, ...]:
    """Return the display matrix that turns by degrees counter-clockwise, as FFmpeg builds it."""
    cosine, sine = round(math.cos(math.radians(degrees))), round(math.sin(math.radians(degrees)))
    return (cosine, -sine, 0, sine, cosine, 0, 0, 0, 1)
