"""Time codes as SMPTE 12M has them: `HH:MM:SS:FF`, or `HH:MM:SS;FF` where numbers of frames are dropped."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["later_code"]


def later_code(code: str, seconds: Fraction, rate: Fraction) -> str:
    """Return the time code of a later moment; what is no time code stays as it is.

    Args:
        code: The time code of the beginning.
        seconds: How much later.
        rate: Frames a second.
    """
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)", code)
    if match is None:
        return code
    hours, minutes, second, number = (int(match[part]) for part in (1, 2, 3, 5))
    whole = max(1, round(rate))
    dropped = whole // 15 if match[4] != ":" else 0  # numbers that each minute but every tenth leaves out
    minutes += 60 * hours
    frame = (60 * minutes + second) * whole + number - dropped * (minutes - minutes // 10)
    return _code(frame + round(seconds * rate), whole, dropped, match[4])


def _code(frame: int, whole: int, dropped: int, mark: str) -> str:
    """Write the time code of a frame, counted from midnight; after a day it is midnight again."""
    ten_minutes = 600 * whole - 9 * dropped
    tens, rest = divmod(frame, ten_minutes)
    skips = 9 * tens + max(0, rest - dropped) // (60 * whole - dropped)
    seconds, number = divmod(frame + dropped * skips, whole)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{number:02}"
