"""What a run did: for people in one line, for programs as JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from ptfan.engine.redaction import redacted

__all__ = ["RunReport", "reports_json"]


@dataclass(frozen=True, kw_only=True)
class RunReport(ABC):
    """What the records of all runs have in common. `repr` leaves out what fills pages; `to_dict` has it."""

    input: str
    """The source as it was named, without passwords."""
    output: str | None
    """Where the result went, likewise; None where pictures were only shown."""
    stages: Mapping[str, float] = field(repr=False)
    """Seconds that each stage worked; they overlap, so the sum may be more than the run took."""
    settings: Mapping[str, Any] = field(repr=False)
    """What was asked for, defaults included."""
    model: Mapping[str, Any] | None = field(repr=False)
    """File, hash and spec of the model, and the hashes of the networks that completed flow and colours; None when
    no frame had a hole and none was loaded."""
    backend: str | None
    """What ran the network; None without a model."""
    versions: Mapping[str, str] = field(repr=False)
    """ptfan, Python and the libraries that decide over the result."""
    warnings: Sequence[str] = ()
    """What the user was told on the way, in order; `Notices` keeps passwords out."""

    def __post_init__(self) -> None:
        """Keep what is secret in addresses out of the record."""
        for name in (each.name for each in fields(self)):
            if isinstance(text := getattr(self, name), str):
                object.__setattr__(self, name, redacted(text))

    def __str__(self) -> str:
        return self.summary

    @property
    @abstractmethod
    def summary(self) -> str:
        """One line for people."""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values: those that JSON has."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self), default=_plain))
        return values


def reports_json(reports: Sequence[RunReport], *, as_list: bool) -> str:
    """Return reports as JSON: a list of objects, or the one object."""
    items = [report.to_dict() for report in reports]
    return json.dumps(items if as_list else items[0], indent=2) + "\n"


def _plain(value: object) -> object:
    """Return a value that JSON does not have as one that it has: NumPy's numbers as numbers, all else as text."""
    return value.item() if isinstance(value, np.generic) else str(value)
