"""A picture with a time stamp."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

__all__ = ["timed_frame"]


def timed_frame(pts: int | None, base: Fraction | None = Fraction(1, 100)) -> av.VideoFrame:
    """Return a small picture of a time stamp and a time base; its pixels tell the stamp."""
    frame = av.VideoFrame(16, 16, "yuv420p")
    for plane in frame.planes:
        np.frombuffer(memoryview(plane), np.uint8)[:] = (pts or 0) % 200
    if base:
        frame.time_base = base
    frame.pts = pts
    return frame
