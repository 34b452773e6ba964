"""Pictures as bytes, as clips hold them, and as floats, as the runtime works on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["to_bytes", "to_floats"]


def to_floats(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a picture of any shape in [0, 1], of one in 0 to 255."""
    floats: NDArray[np.float32] = np.asarray(picture, np.float32) / np.float32(255)
    return floats


def to_bytes(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture of any shape in 0 to 255, rounded, of one in [0, 1]; what lies outside is cut off."""
    return np.asarray(np.rint(np.clip(picture, 0.0, 1.0) * 255.0), np.uint8)
