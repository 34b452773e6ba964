"""Everything that a benchmark has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ptfan.engine.bench.clip_length import ClipResult
from ptfan.engine.bench.end_to_end import VideoResult
from ptfan.engine.bench.network import NetworkResult
from ptfan.engine.bench.work import Pace

__all__ = ["BenchResult"]


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """The figures, and what they were measured on."""

    machine: Mapping[str, str]
    """Processor, cores, clock, load, versions and the day."""
    pace: Pace
    """What the processor can do when that is all that it does."""
    settings: Mapping[str, object]
    """What was asked for."""
    networks: tuple[NetworkResult, ...]
    """Networks alone; the first one is the baseline."""
    clips: tuple[ClipResult, ...] = ()
    """What a frame costs in clips of several lengths."""
    videos: tuple[VideoResult, ...] = ()
    """Whole videos; the first one is the baseline."""

    def floor_ms(self, network: NetworkResult) -> float | None:
        """Return what a finished frame takes at least on this processor, milliseconds.

        Returns:
            None where it is not known: the network ran elsewhere, multiplies narrower numbers than the pace's, or its
            file does not tell how much it computes.
        """
        narrower = network.numbers == "int8" or "bf16" in network.backend
        if narrower or not network.work.flop or "cpu" not in network.backend.lower():
            return None
        return network.work.floor_ms(self.pace)
