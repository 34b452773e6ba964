"""What a live run did: for people in one line, for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ptfan.engine.redaction import redacted
from ptfan.engine.report import plain

__all__ = ["StreamReport"]


@dataclass(frozen=True, kw_only=True)
class StreamReport:
    """The record of a live run."""

    input: str
    """The source, without passwords."""
    output: str | None
    """Where the result went, likewise."""
    figures: Mapping[str, Any]
    """Frames captured, dropped, written and repeated, reconnections, seconds, and latency in milliseconds."""
    stages: Mapping[str, float]
    """Seconds that each stage worked."""
    settings: Mapping[str, Any]
    """What was asked for, defaults included."""
    model: str
    """The model."""
    backend: str
    """What ran it."""
    versions: Mapping[str, str]
    """ptfan, Python and the libraries."""
    gave_up: str | None
    """Why a source that was lost was not looked for any longer; None where it has ended or was stopped."""
    broken: str | None
    """Why the output could not be written to its end; None where it could."""
    warnings: Sequence[str]
    """What was told on the way, the last hundred lines; `Notices` keeps passwords out."""

    def __post_init__(self) -> None:
        """Keep what is secret in addresses out of the record."""
        for name in ("input", "output", "gave_up", "broken"):
            if (text := getattr(self, name)) is not None:
                object.__setattr__(self, name, redacted(text))

    def __str__(self) -> str:
        return self.summary

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

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(asdict(self), indent=2, default=plain) + "\n"
