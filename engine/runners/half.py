"""From single to half precision and back on the CPU, faster than NumPy, which goes value by value."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["cast"]

_DEPTHS = {np.dtype(np.float16): cv2.CV_16F, np.dtype(np.float32): cv2.CV_32F}
_FEW = 1024
"""Arrays of fewer values are left to NumPy: they are not worth a call, and OpenCV takes up to four for a colour."""


def cast(array: NDArray[Any], dtype: Any, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Return an array in a floating type, without gaps; itself where it is so.

    Args:
        array: of any type that NumPy casts.
        dtype: the type.
        out: where to write it, of that type and shape, without gaps.
    """
    array, dtype = np.asarray(array), np.dtype(dtype)
    if array.dtype == dtype and out is None:
        return np.ascontiguousarray(array)
    out = np.empty(array.shape, dtype) if out is None else out
    if array.dtype != dtype and {array.dtype, dtype} == _DEPTHS.keys() and array.size >= _FEW and _opencv_casts():
        cv2.add(np.ascontiguousarray(array).reshape(1, -1), 0.0, dst=out.reshape(1, -1), dtype=_DEPTHS[dtype])
    else:
        out[...] = array
    return out


@lru_cache(maxsize=1)
def _opencv_casts() -> bool:
    """Tell whether this OpenCV calculates in half precision: it does from release 5 on."""
    try:
        cv2.add(np.zeros((1, 8), np.float32), 0.0, dtype=cv2.CV_16F)
    except cv2.error:
        return False
    return True
