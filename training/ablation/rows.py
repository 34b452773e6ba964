"""The rows of the ablation table: what differs from the reference, in training or in use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ptfan.engine.errors import InputError
from ptfan.training.ablation.inference import FlowRegime
from ptfan.training.data.sample_config import SampleConfig
from ptfan.training.generator.config import TrainConfig
from ptfan.training.runs.config import OptimizerConfig, ScheduleConfig

__all__ = ["BUDGET", "REFERENCE", "ROWS", "TRAININGS", "Row", "choose_rows", "trained_with"]

BUDGET = TrainConfig(
    steps=300,
    sample=SampleConfig(frames=6, size=(128, 96), colour_completion="smooth"),
    optimizer=OptimizerConfig(learning_rate=1.5e-3),
    schedule=ScheduleConfig(warmup=30),
)
"""What one CPU core trains in minutes: enough to tell large effects, too little for small ones."""

TRAININGS: dict[str, dict[str, Any]] = {
    "reference": {},
    "shift": {"changes": {"alignment": "shift"}},
    "last-stage": {"changes": {"aligned_parts": ["stage4"]}},
    "decoder-only": {"changes": {"aligned_parts": ["decoder"]}},
    "no-gate": {"changes": {"gated": False}},
    "zeros": {"changes": {"fill": "zero"}},
    "complete-flow": {"sample": {"complete_flow": 1.0}},
    "short-clips": {"sample": {"frames": 3}},
    "free-form": {"sample": {"masks": {"strokes": 1.0, "blobs": 0.0, "boxes": 0.0, "text": 0.0}}},
    "object-like": {"sample": {"masks": {"strokes": 0.0, "blobs": 1.0, "boxes": 0.0, "text": 0.0}}},
    "stationary": {"sample": {"masks": {"strokes": 0.0, "blobs": 0.0, "boxes": 1.0, "text": 1.0, "still": 1.0}}},
}
"""The trainings by name: which settings differ from the reference's."""


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    name: str
    """What `--only` takes."""
    question: str
    """What the row answers, with the reference."""
    what: str
    """The row in words."""
    training: str
    """The training that it uses, of `TRAININGS`; several rows may share one."""
    flow: FlowRegime = "completed"
    """The flow in use."""
    window: int | None = None
    """Frames in a window in use; None takes the model's own."""


REFERENCE = Row("reference", "reference", "aligned in every stage, gated, flow estimated and completed", "reference")
ROWS = (
    REFERENCE,
    Row("shift", "alignment", "plain temporal shift", "shift"),
    Row("last-stage", "alignment", "aligned in the encoder's last stage alone", "last-stage"),
    Row("decoder-only", "alignment", "aligned in the decoder alone", "decoder-only"),
    Row("no-gate", "gate", "no gates", "no-gate"),
    Row("zeros", "input", "zeros in the hole instead of propagated colours", "zeros"),
    Row("flow-estimated", "flow in use", "estimated with zeros in the hole, not completed", "reference", "estimated"),
    Row("flow-complete", "flow in use", "of the complete frames: an upper bound", "reference", "complete"),
    Row("trained-complete", "flow in training", "of the complete frames", "complete-flow"),
    Row("window-4", "window", "4 frames", "reference", window=4),
    Row("window-8", "window", "8 frames", "reference", window=8),
    Row("short-clips", "window", "trained on clips of 3 frames", "short-clips"),
    Row("masks-free-form", "training masks", "brush strokes alone", "free-form"),
    Row("masks-object", "training masks", "object-like shapes alone", "object-like"),
    Row("masks-stationary", "training masks", "stationary boxes and text alone", "stationary"),
)
"""All rows, in the order of the table."""


def choose_rows(names: Sequence[str]) -> list[Row]:
    """Return the rows that are named, and the reference first; all rows if none is named.

    Raises:
        InputError: there is no such row.
    """
    known = {row.name: row for row in ROWS}
    for name in names:
        if name not in known:
            raise InputError(f"ablation: no row is called {name!r}, expected some of {', '.join(known)}")
    return [row for row in ROWS if not names or row is REFERENCE or row.name in names]


def trained_with(base: TrainConfig, training: str) -> TrainConfig:
    """Return the settings of a training: the base's, with what differs."""
    return TrainConfig.from_json(json.dumps(_merged(asdict(base), TRAININGS[training])))


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings with some replaced."""
    merged = dict(values)
    for name, value in changes.items():
        old = merged.get(name)
        merged[name] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
