"""One decoded picture with its place in time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av

from ptfan.engine.frame import Image

__all__ = ["Sample"]


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture as displayed, and the decoder's frame that it comes from."""

    index: int
    """Which frame of the whole source this is, from 0; `start` does not change it."""
    image: Image
    """(H, W, 3) RGB as displayed, uint8, or uint16 for sources of more than 8 bits."""
    pts: int
    """Presentation time stamp in ticks of `time_base`."""
    time_base: Fraction
    """Seconds a tick."""
    native: av.VideoFrame
    """The decoded frame in its own pixel format, turned as coded; not to be written to."""
    fresh: bool = False
    """Whether nothing before this picture belongs to the same scene, as the source knows."""
    whole: bool = False
    """Whether the picture is to be shown as it is, without a hole."""

    @property
    def time(self) -> Fraction:
        """Presentation time stamp in seconds, on the source's own clock."""
        return self.pts * self.time_base
