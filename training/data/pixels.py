"""Pictures as bytes, as clips hold them, and as floats, as the runtime works on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["HOLE_COLOUR", "Floats", "Pixels", "to_bytes", "to_floats"]

Pixels = NDArray[np.uint8]
"""A picture (H, W, 3), or a plane (H, W), in 0 to 255."""
Floats = NDArray[np.float32]
"""A picture (H, W, 3), or a plane (H, W), in [0, 1]."""
HOLE_COLOUR = (242, 51, 191)
"""Red, green and blue of what marks a hole in pictures for people."""


def to_floats(picture: Pixels) -> Floats:
    """Return a picture of any shape in [0, 1], of one in 0 to 255."""
    floats: Floats = np.asarray(picture, np.float32) / np.float32(255)
    return floats


def to_bytes(picture: NDArray[Any]) -> Pixels:
    """Return a picture of any shape in 0 to 255, rounded, of one in [0, 1]; what lies outside is cut off."""
    return np.asarray(np.rint(np.clip(picture, 0.0, 1.0) * 255.0), np.uint8)
