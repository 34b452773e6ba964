"""Reports of an evaluation: JSON for programs, Markdown for people, and a plot of quality against time."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ptfan.training.evaluation.columns import COLUMNS
from ptfan.training.evaluation.figures import plain_figures
from ptfan.training.evaluation.journal import Score

__all__ = ["Mean", "clip_table", "draw_tradeoff", "mean_tables", "means", "write_scores"]


@dataclass(frozen=True)
class Mean:
    """How a method did on all clips with one kind of hole."""

    kind: str
    """The holes' kind."""
    method: str
    """The method's name."""
    clips: int
    """How many clips."""
    values: Mapping[str, float]
    """Figures by name, in the order of `COLUMNS`; VFID among them where it could be computed."""


def means(scores: Sequence[Score], distances: Mapping[tuple[str, str], float]) -> list[Mean]:
    """Return the means by kind and method, in the order of the scores.

    Args:
        scores: of single clips.
        distances: VFID by kind and method, for those that have it.
    """
    groups: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        groups.setdefault((score.kind, score.method), []).append(score)
    return [
        Mean(*group, len(mine), _values(mine) | ({"vfid": distances[group]} if group in distances else {}))
        for group, mine in groups.items()
    ]


def mean_tables(averages: Sequence[Mean]) -> str:
    """Return one Markdown table for each kind of hole, a row for each method; the best figures are bold."""
    parts = []
    for kind in dict.fromkeys(mean.kind for mean in averages):
        mine = [mean for mean in averages if mean.kind == kind]
        clips = max(mean.clips for mean in mine)
        parts.append(f"### {kind} ({clips} clip{'s' if clips > 1 else ''})\n\n{_table(mine)}")
    return "\n".join(parts)


def clip_table(scores: Sequence[Score]) -> str:
    """Return one Markdown table of all clips, kinds and methods."""
    names = [name for name in COLUMNS if any(name in score.values for score in scores)]
    lines = [_line(["clip", "holes", "method", *(COLUMNS[name].title for name in names)]), _rule(3, len(names))]
    for score in scores:
        cells = [COLUMNS[name].show(score.values.get(name, math.nan)) for name in names]
        lines.append(_line([score.clip, score.kind, score.method, *cells]))
    return "\n".join(lines) + "\n"


def write_scores(path: Path, about: Mapping[str, Any], averages: Sequence[Mean], scores: Sequence[Score]) -> None:
    """Write everything as one JSON object: what was evaluated, the means, and the scores of single clips."""
    rows = [
        {"kind": mean.kind, "method": mean.method, "clips": mean.clips, "values": plain_figures(mean.values)}
        for mean in averages
    ]
    content = {**about, "means": rows, "scores": [score.plain() for score in scores]}
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def draw_tradeoff(averages: Sequence[Mean], path: Path, column: str = "psnr_hole") -> None:
    """Draw a figure against the seconds a frame, a panel for each kind of hole, as a PNG."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    kinds = list(dict.fromkeys(mean.kind for mean in averages))
    figure = Figure(figsize=(4.2 * len(kinds), 3.6), layout="constrained")
    panels = figure.subplots(1, len(kinds), squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        for mean in averages:
            quality = mean.values.get(column, math.nan)
            if mean.kind == kind and math.isfinite(quality):
                axes.plot(mean.values["seconds"], quality, "o", label=mean.method)
        axes.set(title=kind, xlabel="seconds a frame", ylabel=COLUMNS[column].title, xscale="log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(0.25)
        axes.grid(True, which="both", alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=110)


def _values(scores: Sequence[Score]) -> dict[str, float]:
    """Average each figure over the clips that have it."""
    values = {}
    for name, column in COLUMNS.items():
        pairs = [
            (score.values[name], score.frames if column.per_frame else 1)
            for score in scores
            if name in score.values and not math.isnan(score.values[name])
        ]
        if pairs:
            figures, weights = np.array(pairs, np.float64).T
            # A product of infinity and a weight of 0 would be nan.
            values[name] = float((figures * weights).sum() / weights.sum())
    return values


def _table(averages: Sequence[Mean]) -> str:
    names = [name for name in COLUMNS if any(name in mean.values for mean in averages)]
    best = {name: _best(name, averages) for name in names}
    lines = [_line(["method", *(COLUMNS[name].title for name in names)]), _rule(1, len(names))]
    for mean in averages:
        cells = [mean.method]
        for name in names:
            text = COLUMNS[name].show(mean.values.get(name, math.nan))
            cells.append(f"**{text}**" if text == best[name] and len(averages) > 1 else text)
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def _best(name: str, averages: Sequence[Mean]) -> str:
    values = [value for mean in averages if not math.isnan(value := mean.values.get(name, math.nan))]
    if not values:
        return ""
    return COLUMNS[name].show(max(values) if COLUMNS[name].higher_is_better else min(values))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(words: int, figures: int) -> str:
    return f"|{'---|' * words}{'---:|' * figures}"
