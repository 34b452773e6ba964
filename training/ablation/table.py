"""The ablation table, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ptfan.training.ablation.rows import REFERENCE, Row
from ptfan.training.evaluation.columns import COLUMNS
from ptfan.training.evaluation.report import Mean
from ptfan.training.generator.config import TrainConfig

__all__ = ["ablation_table"]

SHOWN = ("psnr_hole", "ssim_hole", "warp_hole")
"""The figures of the table, for each kind of hole; the JSON beside it has all."""


def ablation_table(
    rows: Sequence[Row], averages: Sequence[Mean], base: TrainConfig, seconds: Mapping[str, float]
) -> str:
    """Return the table: a row for each variant, PSNR with its difference from the reference.

    Args:
        rows: the variants.
        averages: their means, by the rows' names and the kinds of holes.
        base: the settings of the reference's training.
        seconds: how long each training took.
    """
    kinds = list(dict.fromkeys(mean.kind for mean in averages))
    found = {(mean.method, mean.kind): mean.values for mean in averages}
    titles = [f"{kind}: {COLUMNS[name].title}" for kind in kinds for name in SHOWN]
    lines = [
        f"Each variant: {base.steps} steps of {base.batch} clips, {base.sample.frames} frames of "
        f"{base.sample.size[0]}x{base.sample.size[1]}, seed {base.seed}.",
        "",
        f"| question | variant | {' | '.join(titles)} | trained, minutes |",
        f"|---|---|{'---:|' * (len(titles) + 1)}",
    ]
    for row in rows:
        cells = [_cell(found, row, kind, name) for kind in kinds for name in SHOWN]
        lines.append(f"| {row.question} | {row.what} | {' | '.join(cells)} | {seconds[row.training] / 60:.1f} |")
    return "\n".join(lines) + "\n"


def _cell(found: Mapping[tuple[str, str], Mapping[str, float]], row: Row, kind: str, name: str) -> str:
    value = found.get((row.name, kind), {}).get(name, math.nan)
    text = COLUMNS[name].show(value)
    reference = found.get((REFERENCE.name, kind), {}).get(name, math.nan)
    if name != "psnr_hole" or row is REFERENCE or not math.isfinite(value - reference):
        return text
    return f"{text} ({value - reference:+.2f})"
