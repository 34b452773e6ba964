"""The settings of the colour completion network's training: frozen dataclasses, one JSON file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ptfan.engine.checks import check_numbers
from ptfan.engine.errors import InputError
from ptfan.engine.prepare.colour_completion import MULTIPLE, REDUCTION
from ptfan.training.data.sample_config import SampleConfig
from ptfan.training.helpers.config import HelperTrainConfig
from ptfan.training.model.colour_completer import ColourCompleterConfig

__all__ = ["ColourTrainConfig"]


@dataclass(frozen=True, kw_only=True)
class ColourTrainConfig(HelperTrainConfig):
    """The settings of the colour completion network's training."""

    command: ClassVar[str] = "train-colour"
    names: ClassVar[tuple[str, ...]] = ("colour",)
    grid: ClassVar[int] = REDUCTION * MULTIPLE

    network: ColourCompleterConfig = field(default_factory=ColourCompleterConfig)
    sample: SampleConfig = field(
        default_factory=lambda: SampleConfig(frames=8, size=(256, 192), colour_completion="smooth")
    )
    unseen: float = 0.5
    """Share of samples whose holes nothing is carried into; the others are filled as the runtime fills them."""
    tint: float = 0.12
    """Pictures are made lighter or darker by a random factor, whose logarithm has this standard deviation."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sample.colour_completion != "smooth":
            raise InputError("training config: sample colour_completion is learned, expected smooth: this learns it")
        check_numbers("training config", self, "unseen", most=1)
        check_numbers("training config", self, "tint")
