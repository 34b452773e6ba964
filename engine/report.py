"""What a run did: for people in one line, for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ptfan.engine.redaction import redacted

__all__ = ["Report", "plain", "reports_json"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The record of one inpainted video."""

    input: str
    """The source as it was named, without passwords."""
    output: str
    """Where the result lies, likewise."""
    frames: int
    """Frames written."""
    inpainted: int
    """How many of them had a hole."""
    seconds: float
    """From opening the source to the finished output."""
    fps: float
    """Frames a second over all of that time."""
    stages: Mapping[str, float]
    """Seconds that each stage worked; they overlap, so the sum may be more than `seconds`."""
    settings: Mapping[str, Any]
    """What was asked for, defaults included."""
    model: Mapping[str, Any] | None
    """File, hash and spec of the model, and the hashes of the networks that completed flow and colours; None when
    no frame had a hole and none was loaded."""
    backend: str | None
    """What ran the network; None without a model."""
    versions: Mapping[str, str]
    """ptfan, Python and the libraries that decide over the result."""
    warnings: Sequence[str] = field(default_factory=tuple)
    """What the user was told on the way, in order; `Notices` keeps passwords out."""

    def __post_init__(self) -> None:
        """Keep what is secret in addresses out of the record."""
        object.__setattr__(self, "input", redacted(self.input))
        object.__setattr__(self, "output", redacted(self.output))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values: those that JSON has."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self), default=plain))
        return values

    def __str__(self) -> str:
        return self.summary

    @property
    def summary(self) -> str:
        """One line: what was written, how much, how fast and by what."""
        rest = self.frames - self.inpainted
        copied = f", {rest} of them without a hole," if rest else ""
        name = "standard output" if self.output == "-" else self.output
        count = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        by = "" if self.backend is None else f" by {self.backend}"
        return f"{name}: {count}{copied} in {self.seconds:.1f} s ({self.fps:.1f} frames/s){by}"


def reports_json(reports: Sequence[Report], *, as_list: bool) -> str:
    """Return reports as JSON: a list of objects, or the one object."""
    items = [report.to_dict() for report in reports]
    return json.dumps(items if as_list else items[0], indent=2) + "\n"


def plain(value: object) -> object:
    """Return a value that JSON does not have as one that it has: NumPy's numbers as numbers, all else as text."""
    return value.item() if isinstance(value, np.generic) else str(value)
