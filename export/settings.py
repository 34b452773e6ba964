"""What to make of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ptfan.engine.checks import check_choice, check_numbers
from ptfan.engine.spec import Precision
from ptfan.export.dimensions import Dimensions

__all__ = ["ExportSettings", "GraphForm", "WeightStorage"]

GraphForm = Literal["clip", "step"]
WeightStorage = Literal["same", "fp16"]
"""`same`: as the graph computes. `fp16`: half the bytes in the file, converted once, when it is loaded."""


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """What to make of a checkpoint."""

    form: GraphForm = "clip"
    """A window of frames at once, or a frame at a time."""
    precision: Precision = "fp32"
    """Of the features and of every input but the flows."""
    weights: WeightStorage = "same"
    """How the weights are stored in the file."""
    dimensions: Dimensions = field(default_factory=Dimensions)
    """Which of T, H and W are fixed."""
    name: str | None = None
    """The model's name; the config's own by default."""
    stride: int | None = None
    """Frames kept of a window; the usual share of it by default."""
    clip: Path | None = None
    """The video to compare on; the package's own by default."""
    mask: Path | None = None
    """Its hole; in the middle by default."""

    def __post_init__(self) -> None:
        check_choice("form", self.form, GraphForm)
        check_choice("precision", self.precision, Precision)
        check_choice("weights", self.weights, WeightStorage)
        check_numbers("", self, "stride", least=1, unit="frame")

    def changed(self, *, but: tuple[str, ...] = ()) -> list[str]:
        """Return the names of the options that are not at their defaults, `but` for some."""
        frames = "streams" if self.form == "step" else "window"
        values = {**vars(self), frames: self.dimensions.frames, "size": self.dimensions.size}
        usual = {**vars(ExportSettings()), frames: None, "size": None}
        return [name for name, value in values.items() if name not in ("dimensions", *but) and value != usual[name]]

    @property
    def exact(self) -> bool:
        """Whether nothing is rounded to fp16."""
        return self.precision == "fp32" and self.weights == "same"
