"""Times as people write them."""

from __future__ import annotations

import re
from fractions import Fraction

from ptfan.engine.errors import InputError

__all__ = ["format_seconds", "parse_time"]


def parse_time(text: str) -> Fraction:
    """Read seconds (`12.5`), `MM:SS` or `HH:MM:SS`, each with or without decimals.

    Returns:
        Seconds, exactly as written.

    Raises:
        InputError: the text is something else, or minutes or seconds are 60 or more.
    """
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)", text.strip())
    if match is None:
        raise InputError(f"time {text!r}: expected seconds or HH:MM:SS, for instance 12.5 or 00:01:30")
    hours, minutes, seconds = (Fraction(part or 0) for part in match.groups())
    if (match[2] and seconds >= 60) or (match[1] and minutes >= 60):
        raise InputError(f"time {text!r}: minutes and seconds go up to 59, for instance 00:01:30")
    return hours * 3600 + minutes * 60 + seconds


def format_seconds(seconds: float) -> str:
    """Return a length of time as `M:SS` or `H:MM:SS`, rounded to whole seconds."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
