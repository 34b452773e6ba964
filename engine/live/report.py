"""What a live run did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ptfan.engine.run_report import RunReport

__all__ = ["StreamReport"]


@dataclass(frozen=True, kw_only=True)
class StreamReport(RunReport):
    """The record of a live run; of its warnings, the last hundred."""

    figures: Mapping[str, Any]
    """Frames captured, dropped, written and repeated, reconnections, seconds, and latency in milliseconds."""
    gave_up: str | None
    """Why a source that was lost was not looked for any longer; None where it has ended or was stopped."""
    broken: str | None
    """Why the output could not be written to its end; None where it could."""

    @property
    def summary(self) -> str:
        """One line: how much was written, how late, and what was lost."""
        found = self.figures
        latency = found["latency_ms"]
        name = "standard output" if self.output == "-" else self.output or "page"
        return (
            f"{name}: {found['written']} frames in {found['seconds']:.1f} s, latency p50 "
            f"{latency['p50']:.0f} ms, p99 {latency['p99']:.0f} ms; {found['dropped']} dropped, {found['repeated']} "
            f"repeated, {found['reconnects']} reconnections"
        )
