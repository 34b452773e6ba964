"""The settings that the trainings of helper networks have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ptfan.engine.errors import InputError
from ptfan.training.data.sample_config import CutConfig
from ptfan.training.model.helper_config import HelperConfig
from ptfan.training.runs.config import RunConfig

__all__ = ["HelperTrainConfig"]


@dataclass(frozen=True, kw_only=True)
class HelperTrainConfig(RunConfig):
    """The settings of a helper network's training."""

    grid: ClassVar[int]
    """Frames' sides are multiples of this, pixels: of the network's own multiple, and of how far they are reduced."""

    network: HelperConfig
    """The architecture."""
    sample: CutConfig
    """What a clip looks like; its size is that of the frames, before they are reduced for the network."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(side % self.grid for side in self.sample.size):
            raise InputError(f"training config: sample size is {self.sample.size}, expected multiples of {self.grid}")
