"""The curves of a run, drawn from its log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ptfan.training.runs.headline import Headline

__all__ = ["draw_curves"]

ASIDE = {"step", "seconds", "rate", "loss", "gradient", "blend", "likelihood", "precision"}
"""Entries of the log that are no losses of their own, or not positive."""
SMOOTHED = 9
"""Entries that each point is the mean of."""


def draw_curves(log: Path, path: Path, headline: Headline) -> None:
    """Draw the losses of a run's `log.jsonl`, and its headline, as a PNG. An empty log draws nothing."""
    from matplotlib.figure import Figure

    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    if not entries:
        return
    figure = Figure(figsize=(8, 7), layout="constrained")
    losses, quality = figure.subplots(2, 1, sharex=True)
    for name in sorted(set().union(*entries) - ASIDE - {headline.name}):
        _draw(losses, entries, name, "input, in the hole" if name == "input_hole" else name)
    _draw(quality, entries, headline.name, headline.name)
    losses.set(ylabel="losses, weighted", yscale="log")
    quality.set(xlabel="step", ylabel=headline.axis)
    for axes in (losses, quality):
        axes.grid(True, which="both", alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=110)


def _draw(axes: Any, entries: list[dict[str, Any]], name: str, label: str) -> None:
    points = [(entry["step"], entry[name]) for entry in entries if name in entry]
    steps, values = np.array(points, np.float64).T
    padded = np.pad(values, SMOOTHED // 2, mode="edge")
    axes.plot(steps, np.convolve(padded, np.ones(SMOOTHED) / SMOOTHED, mode="valid"), label=label)
