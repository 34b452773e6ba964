"""The figures of a row of timings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptfan.engine.errors import InputError

__all__ = ["Latency"]

UNSTEADY = 1.5
"""A p90 beyond this multiple of the median makes a run's figures doubtful."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Times of one kind of call, milliseconds; percentiles are of the calls themselves, none is interpolated."""

    calls: int
    """How many were timed."""
    minimum: float
    maximum: float
    mean: float
    median: float
    p90: float
    p95: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        """Describe calls.

        Args:
            seconds: what each took.

        Raises:
            InputError: there is none.
        """
        if not seconds:
            raise InputError("latency: no calls were timed, expected 1 or more")
        times = np.sort(np.asarray(seconds)) * 1e3

        def percentile(share: float) -> float:
            return float(times[max(0, math.ceil(share * len(times)) - 1)])

        return cls(
            calls=len(times),
            minimum=float(times[0]),
            maximum=float(times[-1]),
            mean=float(times.mean()),
            median=percentile(0.5),
            p90=percentile(0.9),
            p95=percentile(0.95),
            p99=percentile(0.99),
        )

    @property
    def steady(self) -> bool:
        """Whether the slow calls are near the usual ones: else something else was at work on the machine."""
        return self.p90 <= UNSTEADY * self.median
