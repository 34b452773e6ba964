"""When an output shows what its source has."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["OutputTime"]


@dataclass(frozen=True)
class OutputTime:
    """The output's time beside that of its source."""

    shift: Fraction
    """Seconds to take off all time stamps."""
    cut: bool
    """Whether what comes before time 0 is left out."""
    end: Fraction | None
    """Seconds of the output where it ends; None when it ends with the source."""
