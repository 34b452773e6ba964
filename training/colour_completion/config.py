"""The settings of the colour completion network's training: frozen dataclasses, one JSON file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ptfan.engine.errors import InputError
from ptfan.engine.prepare.colour_completion import MULTIPLE, REDUCTION
from ptfan.training.data.sample_config import SampleConfig
from ptfan.training.model.colour_completer import ColourCompleterConfig
from ptfan.training.runs.config import RunConfig

__all__ = ["ColourTrainConfig"]


@dataclass(frozen=True, kw_only=True)
class ColourTrainConfig(RunConfig):
    """The settings of the colour completion network's training."""

    command: ClassVar[str] = "train-colour"
    names: ClassVar[tuple[str, ...]] = ("colour",)

    network: ColourCompleterConfig = field(default_factory=ColourCompleterConfig)
    """The architecture."""
    sample: SampleConfig = field(
        default_factory=lambda: SampleConfig(frames=8, size=(256, 192), colour_completion="smooth")
    )
    """What a clip looks like; its size is that of the frames, of which the network sees a quarter."""
    unseen: float = 0.5
    """Share of samples whose holes nothing is carried into; the others are filled as the runtime fills them."""
    tint: float = 0.12
    """Pictures are made lighter or darker by a random factor, whose logarithm has this standard deviation."""

    def __post_init__(self) -> None:
        super().__post_init__()
        grid = REDUCTION * MULTIPLE
        if any(side % grid for side in self.sample.size):
            raise InputError(f"training config: sample size is {self.sample.size}, expected multiples of {grid}")
        if self.sample.colour_completion != "smooth":
            raise InputError("training config: sample colour_completion is learned, expected smooth: this learns it")
        if not 0.0 <= self.unseen <= 1.0:
            raise InputError(f"training config: unseen is {self.unseen}, expected 0 to 1")
        if not 0.0 <= self.tint < float("inf"):
            raise InputError(f"training config: tint is {self.tint}, expected 0 or more")
