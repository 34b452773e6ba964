"""How a coded picture is turned to be shown: the eight ways that a display matrix can name."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box
from ptfan.engine.media.side_data import read_side_data

__all__ = ["UPRIGHT", "Orientation"]

_Scalar = TypeVar("_Scalar", bound=np.generic)
_ONE = 1 << 16
_UNIT = 1 << 30
_PIXELS = (np.uint8, np.uint16)
"""Types of pictures, which OpenCV turns ten to twenty times as fast as a copy of NumPy's view is made."""


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
        matrix = _display_matrix(frame)
        return cls.from_matrix(matrix) if matrix else UPRIGHT

    @classmethod
    def from_matrix(cls, matrix: tuple[int, ...]) -> Orientation:
        """Read a display matrix, nine integers as FFmpeg has them; between two quarters the nearer one is taken."""
        a, b, _, c, d, *_ = matrix
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @property
    def matrix(self) -> tuple[int, ...]:
        """The display matrix that says this, nine integers as FFmpeg has them."""
        across, down = (-_ONE if self.flip_x else _ONE), (-_ONE if self.flip_y else _ONE)
        if self.transpose:
            return (0, down, 0, across, 0, 0, 0, 0, _UNIT)
        return (across, 0, 0, 0, down, 0, 0, 0, _UNIT)

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """The libavfilter filters that turn a frame so, as (name, arguments) in order."""
        turn = (("transpose", "cclock_flip"),) if self.transpose else ()
        return turn + (("hflip", ""),) * self.flip_x + (("vflip", ""),) * self.flip_y

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height as displayed of a coded width and height, or the other way round."""
        return (height, width) if self.transpose else (width, height)

    def aspect(self, sample: Fraction | None) -> Fraction | None:
        """Return the aspect ratio of a sample after it is turned; None when it is not known."""
        return 1 / sample if sample and self.transpose else sample

    def apply(self, array: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """Turn a coded picture (H, W, ...) into the displayed one, contiguous."""
        turned: NDArray[Any] = _transposed(array) if self.transpose else array
        return np.ascontiguousarray(self._flip(turned))

    def undo(self, array: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """Turn a displayed picture (H, W, ...) back into the coded one, contiguous."""
        turned: NDArray[Any] = self._flip(array)
        return np.ascontiguousarray(_transposed(turned) if self.transpose else turned)

    def apply_box(self, box: Box, width: int, height: int) -> Box:
        """Return where a box of the coded picture lies in the displayed one, which is `width` by `height`."""
        turned = Box(box.y, box.x, box.height, box.width) if self.transpose else box
        return self._flip_box(turned, width, height)

    def undo_box(self, box: Box, width: int, height: int) -> Box:
        """Return where a box of the displayed picture, which is `width` by `height`, lies in the coded one."""
        flipped = self._flip_box(box, width, height)
        return Box(flipped.y, flipped.x, flipped.height, flipped.width) if self.transpose else flipped

    def _flip(self, array: NDArray[Any]) -> NDArray[Any]:
        """Mirror a displayed picture; doing it twice changes nothing."""
        if array.dtype not in _PIXELS or not (self.flip_x or self.flip_y):
            return array[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]
        axes = 0 if not self.flip_x else -1 if self.flip_y else 1
        mirrored: NDArray[Any] = cv2.flip(array, axes)
        return mirrored

    def _flip_box(self, box: Box, width: int, height: int) -> Box:
        """Mirror a box of the displayed picture; doing it twice changes nothing."""
        x = width - box.right if self.flip_x else box.x
        y = height - box.bottom if self.flip_y else box.y
        return Box(x, y, box.width, box.height)


UPRIGHT = Orientation()
"""The picture is shown as it is coded."""


def _transposed(array: NDArray[Any]) -> NDArray[Any]:
    """Exchange rows and columns."""
    turned: NDArray[Any] = cv2.transpose(array) if array.dtype in _PIXELS else array.swapaxes(0, 1)
    return turned


def _display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    """Return the nine integers of a frame's display matrix, or None where it has none."""
    found = read_side_data(frame)
    if found is None:
        return _matrix_of_rotation(frame.rotation)
    matrix = found.get("DISPLAYMATRIX")
    return struct.unpack("9i", matrix) if matrix else None


def _matrix_of_rotation(degrees: int) -> tuple[int, ...]:
    """Return the display matrix of a turn by quarters, counter-clockwise."""
    turns = {
        0: UPRIGHT,
        1: Orientation(True, False, True),
        2: Orientation(False, True, True),
        3: Orientation(True, True),
    }
    return turns[round(degrees / 90) % 4].matrix
