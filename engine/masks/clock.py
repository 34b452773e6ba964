"""Which mask of a mask video belongs to a frame, where the two videos do not go at the same rate."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import MaskError
from ptfan.engine.media import StreamInfo
from ptfan.engine.media.film import films_of

__all__ = ["MaskClock", "MaskTimes", "is_same_rate"]

_SAME = Fraction(1, 2000)
"""By how much rates may differ and be the same but for rounding; 30 and 29.97 are twice as far apart."""
_ROUNDED = 0.002
"""Seconds by which a mask may come later than its frame: containers round time stamps to milliseconds."""


@dataclass(frozen=True, eq=False)
class MaskTimes:
    """When the masks of a video are shown."""

    times: NDArray[np.float64]
    """Seconds from the first mask, increasing."""
    rate: Fraction
    """Masks a second on average."""

    @classmethod
    def of(cls, container: av.container.InputContainer, rate: Fraction) -> MaskTimes:
        """Read the packets of a mask video from its beginning; where they have no time stamps, the rate tells."""
        stream = films_of(container)[0]
        stamps = [packet.pts for packet in container.demux(stream) if packet.size]
        known = sorted({stamp for stamp in stamps if stamp is not None})
        if not known or len(known) != len(stamps) or stream.time_base is None:
            return cls(np.arange(len(stamps), dtype=np.float64) / float(rate), rate)
        return cls(np.array(known, np.float64) * float(stream.time_base) - float(known[0] * stream.time_base), rate)

    @property
    def end(self) -> float:
        """Seconds after which no mask is shown any longer."""
        return float(self.times[-1] + 1 / self.rate)

    def index_at(self, moment: float) -> int:
        """Return the index of the mask that is shown at a moment; where all have ended, the number of masks.

        The last mask stays twice as long as it is shown: whoever changes a video's rate rounds its number of frames.
        """
        if moment > self.end + 1 / self.rate:
            return len(self.times)
        return max(0, int(np.searchsorted(self.times, moment + _ROUNDED, side="right")) - 1)


class MaskClock:
    """Finds a frame's mask by time, both counted from their video's first frame.

    Args:
        times: When the masks are shown.
        info: The source that the frames come from.
        name: What to call the mask in messages.
    """

    def __init__(self, times: MaskTimes, info: StreamInfo, name: str) -> None:
        self._times, self._info, self._name = times, info, name

    @property
    def notice(self) -> str:
        """What to say of it."""
        masks, frames = float(self._times.rate), float(self._info.rate or 0)
        return (
            f"mask {self._name}: {masks:.5g} masks a second for {frames:.5g} frames; each frame gets the one that is "
            "shown at its time"
        )

    def index_of(self, time: Fraction) -> int:
        """Return the index of the mask for a frame with a time stamp, in seconds on the source's own clock."""
        return self._times.index_at(float(time - self._info.opening))

    def check_length(self) -> str | None:
        """Compare how long masks and frames last; return what to say of masks that are left over.

        Raises:
            MaskError: The masks end before the frames.
        """
        info, rate = self._info, self._times.rate
        if info.duration is None or info.rate is None:
            return None
        end = float((info.span.start or 0) + info.duration + info.origin - info.opening)
        lasts = f"mask {self._name}: lasts {self._times.end:.3f} s for {end:.3f} s of video"
        if self._times.index_at(end - float(1 / info.rate)) == len(self._times.times):
            raise MaskError(f"{lasts}; give masks to its end, or one image for all, or stop sooner with --end")
        over = self._times.end - end > max(1 / rate, 1 / info.rate)
        return f"{lasts}; what is left is not used" if over and info.span.end is None else None


def is_same_rate(one: Fraction, other: Fraction) -> bool:
    """Tell whether two rates are the same but for rounding."""
    return abs(one / other - 1) <= _SAME
