"""A stretch of time in a video."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ptfan.engine.errors import InputError

__all__ = ["EVERYTHING", "Span"]


@dataclass(frozen=True)
class Span:
    """From a moment on, up to another one that is no longer part of it; seconds from the video's beginning."""

    start: Fraction | None = None
    """The first moment; None from the first frame, whatever its time."""
    end: Fraction | None = None
    """The first moment that is not part of it; None to the last frame."""

    def __post_init__(self) -> None:
        """Refuse moments before the beginning and ends that come before their start."""
        for name, value in (("start", self.start), ("end", self.end)):
            if value is not None and value < 0:
                raise InputError(f"{name} is {float(value):g} s, expected 0 or more")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise InputError(
                f"end is {float(self.end):g} s, not after start, which is {float(self.start):g} s: nothing is left"
            )

    @classmethod
    def of(cls, start: float | Fraction | None, end: float | Fraction | None) -> Span:
        """Build a span of numbers; a decimal float means the decimal, not the binary number nearest to it."""
        return cls(_exact(start), _exact(end))

    @property
    def words(self) -> str:
        """Say which moments belong to it, as the end of a sentence."""
        if self.start is None:
            return "at all" if self.end is None else f"before {float(self.end):g} s"
        return f"at {float(self.start):g} s or later" + ("" if self.end is None else f", before {float(self.end):g} s")

    def is_before(self, time: Fraction) -> bool:
        """Tell whether a moment lies before the span."""
        return self.start is not None and time < self.start

    def is_after(self, time: Fraction) -> bool:
        """Tell whether a moment lies after the span."""
        return self.end is not None and time >= self.end


EVERYTHING = Span()
"""The whole video."""


def _exact(value: float | Fraction | None) -> Fraction | None:
    """Return the fraction that a number is written as."""
    try:
        return None if value is None else Fraction(str(value))
    except ValueError as error:
        raise InputError(f"time is {value}, expected a number of seconds") from error
