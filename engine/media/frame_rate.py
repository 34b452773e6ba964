"""The rate of what says none, and of an output that keeps only a constant one, whatever its frames' times are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["MPEG_RATES", "USUAL_RATE", "constant_rate", "is_mpeg_rate", "nearest_mpeg_rate"]

USUAL_RATE = Fraction(25)
"""Frames a second of what does not say."""
MPEG_RATES = tuple(Fraction(*rate) for rate in [(24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1)])
MPEG_RATES += (Fraction(60000, 1001), Fraction(60))
"""Frames a second that MPEG-1 and MPEG-2 count in."""
_FASTEST = Fraction(120)
"""Frames a second: two frames that are nearer to each other come from a flaw."""
_NEAR = 1 / 3
"""Of a frame: a time that is as near as this to a tick is that tick's."""
_SAME = Fraction(1, 1000)
"""By how much a rate may differ and still be the same but for rounding."""


def constant_rate(times: NDArray[np.int64], time_base: Fraction, nominal: Fraction) -> Fraction:
    """Return the frames a second at which every frame gets a tick of its own, near its time.

    It is the nominal rate where frames come at that, and otherwise so high that the two nearest ones are one tick
    apart, up to 120.

    Args:
        times: when frames are shown, in ticks, increasing.
        time_base: Seconds a tick.
        nominal: Frames a second on average.
    """
    if len(times) < 2:
        return nominal
    places = (times - times[0]) * float(time_base * nominal)
    ticks = np.rint(places)
    if np.abs(places - ticks).max() < _NEAR and (np.diff(ticks) > 0).all():
        return nominal
    return min(_FASTEST, 1 / (int(np.diff(times).min()) * time_base))


def is_mpeg_rate(rate: Fraction) -> bool:
    """Tell whether MPEG-2 can say a rate: one of the usual ones, times 1 to 4, over 1 to 32."""
    return any(rate == usual * times / over for usual in MPEG_RATES for times in range(1, 5) for over in range(1, 33))


def nearest_mpeg_rate(rate: Fraction) -> Fraction:
    """Return the one of `MPEG_RATES` at which frames of a rate are shown with the least error.

    It is the rate itself, or a multiple of it; where there is none, the next higher one, or the highest.
    """
    off = {usual: abs(usual / rate / max(1, round(usual / rate)) - 1) for usual in MPEG_RATES}
    best = min(MPEG_RATES, key=lambda usual: off[usual])
    if off[best] <= _SAME:
        return best
    return next((usual for usual in MPEG_RATES if usual > rate), MPEG_RATES[-1])
