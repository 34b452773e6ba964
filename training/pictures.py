"""Pictures for people: the curves of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

__all__ = ["draw_curves"]


def draw_curves(log: Path, path: Path) -> None:
    """Draw the losses of a run's `log.jsonl` as a PNG."""
    from matplotlib.figure import Figure

    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, label in (
        ("hole", "fill, in the hole"),
        ("input_hole", "propagated input, in the hole"),
        ("own_hole", "own picture, in the hole (weighted)"),
        ("own_known", "own picture, outside (weighted)"),
    ):
        values = np.array([entry[name] for entry in entries])
        smooth = np.convolve(np.pad(values, 4, mode="edge"), np.ones(9) / 9, mode="valid")
        axes.plot([entry["step"] for entry in entries], smooth, label=label)
    axes.set(xlabel="step", ylabel="mean absolute error", yscale="log")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
