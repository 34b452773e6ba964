"""The report on completed flow: one Markdown table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ptfan.training.evaluation.figures import mean_figure, plain_figures

__all__ = ["FlowScore", "score_table"]

HEAD = (
    "| holes | clips | error smooth | error network | fill smooth | fill network | fill true flow |\n"
    "|---|---:|---:|---:|---:|---:|---:|\n"
)
NOTE = (
    "\nError: mean endpoint error of the flow in the hole, pixels, against the flow of the complete frames. Fill:\n"
    "PSNR in the hole, dB, of the known pixels that are carried along the flow.\n"
)


@dataclass(frozen=True)
class FlowScore:
    """The figures of a clip with one kind of hole."""

    clip: str
    """The clip's name."""
    kind: str
    """The hole's kind."""
    error: Mapping[str, float]
    """Endpoint error in the hole, pixels, of `smooth` completion and the `learned` one."""
    fill: Mapping[str, float]
    """PSNR in the hole, dB, of what is propagated along both, and along the `true` flow."""

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON; what could not be measured, for want of a hole, is null."""
        return asdict(self) | {"error": plain_figures(self.error), "fill": plain_figures(self.fill)}


def score_table(scores: Sequence[FlowScore]) -> str:
    """Return one row for each kind of hole: means over the clips, a dash where no clip has such a hole."""
    lines = []
    for kind in dict.fromkeys(score.kind for score in scores):
        mine = [score for score in scores if score.kind == kind]
        errors = [_mean(score.error[name] for score in mine) for name in ("smooth", "learned")]
        fills = [_mean(score.fill[name] for score in mine) for name in ("smooth", "learned", "true")]
        lines.append(f"| {' | '.join((kind, str(len(mine)), *errors, *fills))} |\n")
    return HEAD + "".join(lines) + NOTE


def _mean(values: Iterable[float]) -> str:
    mean = mean_figure(values)
    return "–" if math.isnan(mean) else f"{mean:.2f}"
