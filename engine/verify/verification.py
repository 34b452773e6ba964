"""What a comparison has found: for people as text, for programs as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ptfan.engine.difference import Difference
from ptfan.engine.verify.worst_frame import WorstFrame

__all__ = ["Verification"]

FP16_END = 65_504
"""The largest number that fp16 can hold."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How far a model's answers are from a reference's, on one clip."""

    title: str
    """Which model was compared with which, for people to read."""
    model: Mapping[str, Any]
    """File, hash, backend and spec of the model."""
    reference: Mapping[str, Any]
    """The same of what it was compared with."""
    clip: str
    """The clip."""
    mask: str
    """Its hole."""
    window: int
    """Frames that were shown together; each window is a clip of its own."""
    frames: int
    """Frames of the clip."""
    inpainted: int
    """How many of them had a hole."""
    whole: Difference
    """Errors over whole frames, at the clip's own size."""
    hole: Difference
    """Errors inside the holes."""
    worst: WorstFrame
    """The frame whose hole differs most."""
    largest_activation: float | None
    """The largest absolute value that a layer of the reference gave; None where its runner cannot tell."""
    least_psnr: float
    """dB in the holes that are asked for."""
    versions: Mapping[str, str]
    """ptfan, Python and libraries."""

    @property
    def passed(self) -> bool:
        """Whether the answers are finite, and as near to each other as was asked for."""
        return math.isfinite(self.hole.worst) and self.hole.psnr >= self.least_psnr

    @property
    def table(self) -> str:
        """The figures, for people to read."""
        frame, y, x = self.hole.pixel
        return "\n".join(
            [
                self.title,
                f"{self.frames} frames, {self.inpainted} with a hole; windows of {self.window}",
                f"{'':12}{'worst error':>14}{'mean error':>14}{'PSNR':>12}",
                _row("whole frame", self.whole),
                _row("in the hole", self.hole),
                f"largest error: frame {frame}, x {x}, y {y}; worst frame: {self.worst.index}, "
                f"{self.worst.psnr:.1f} dB in the hole",
                *self._activation,
                "",
            ]
        )

    @property
    def _activation(self) -> list[str]:
        if self.largest_activation is None:
            return []
        return [f"largest activation of the reference: {self.largest_activation:.1f}; fp16 ends at {FP16_END:,}"]

    def to_json(self) -> str:
        """Return everything but the picture; what is not finite is null, a PSNR of equal answers too."""
        kept = {name: value for name, value in vars(self).items() if name not in ("title", "worst")}
        found = {
            **kept,
            **{name: _figures(value) for name, value in kept.items() if isinstance(value, Difference)},
            "least_psnr": _finite(self.least_psnr),
            "worst_frame": {"frame": self.worst.index, "psnr": _finite(self.worst.psnr)},
            "largest_activation": None if self.largest_activation is None else _finite(self.largest_activation),
            "passed": self.passed,
        }
        return json.dumps(found, indent=2, allow_nan=False) + "\n"


def _row(name: str, found: Difference) -> str:
    return f"{name:12}{found.worst:14.2e}{found.mean:14.2e}{found.psnr:9.1f} dB"


def _figures(found: Difference) -> dict[str, Any]:
    figures = asdict(found)
    frame, y, x = figures.pop("pixel")
    return {**{name: _finite(value) for name, value in figures.items()}, "pixel": {"frame": frame, "x": x, "y": y}}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
