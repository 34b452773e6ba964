"""The distribution of latencies of a run without an end, in a memory that does not grow."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["Latencies"]

SHORTEST = 1e-4
"""Seconds; what is shorter counts as this."""
WIDTH = 1.01
"""Each bin reaches so many times as far as the one before: percentiles are right to a hundredth."""
BINS = 1600
"""The last one holds what is longer than 13 minutes."""


class Latencies:
    """Counts in bins of equal ratio."""

    def __init__(self) -> None:
        self._counts = np.zeros(BINS, np.int64)
        self.longest = 0.0
        """Seconds."""
        self.total = 0.0
        """Seconds, of all together."""

    def add(self, seconds: float) -> None:
        """Count one."""
        place = math.ceil(math.log(max(seconds, SHORTEST) / SHORTEST, WIDTH))
        self._counts[min(BINS - 1, place)] += 1
        self.longest = max(self.longest, seconds)
        self.total += seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return int(self._counts.sum())

    def percentile(self, share: float) -> float:
        """Return the latency that the given share of all do not exceed, seconds; 0 where there are none."""
        if not self.count:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self._counts), share * self.count))
        return min(self.longest, SHORTEST * WIDTH**place)

    def milliseconds(self) -> dict[str, float]:
        """Return p50, p95, p99 and the longest, milliseconds."""
        found = {f"p{round(100 * share)}": self.percentile(share) for share in (0.5, 0.95, 0.99)}
        return {name: round(1e3 * value, 2) for name, value in {**found, "max": self.longest}.items()}
