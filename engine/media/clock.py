"""Time stamps that always increase."""

from __future__ import annotations

from fractions import Fraction

import av

from ptfan.engine.media.frame_rate import USUAL_RATE

__all__ = ["Clock"]


class Clock:
    """Gives each frame a time stamp after the one before: its own where that is later, else the next one due."""

    def __init__(self, time_base: Fraction, rate: Fraction | None) -> None:
        """Start a clock.

        Args:
            time_base: Seconds a tick.
            rate: Frames a second, for frames without a time stamp; the usual one when unknown.
        """
        self.time_base = time_base
        self._step = max(1, round(1 / ((rate or USUAL_RATE) * time_base)))
        self.last: int | None = None
        """The last time stamp."""

    def stamp(self, frame: av.VideoFrame) -> int:
        """Set a frame's time stamp, in ticks of `time_base`, and return it."""
        pts = frame.pts
        if pts is not None and frame.time_base and frame.time_base != self.time_base:
            pts = round(pts * frame.time_base / self.time_base)
        if pts is None:
            pts = 0 if self.last is None else self.last + self._step
        elif self.last is not None and pts <= self.last:
            pts = self.last + 1
        self.last = frame.pts = pts
        frame.time_base = self.time_base
        return pts
