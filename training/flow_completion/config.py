"""The settings of the flow completion network's training: frozen dataclasses, one JSON file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ptfan.engine.checks import check_numbers
from ptfan.engine.errors import InputError
from ptfan.engine.prepare.flow_completion import MULTIPLE, REDUCTION
from ptfan.training.data.sample_config import CutConfig
from ptfan.training.helpers.config import HelperTrainConfig
from ptfan.training.model.flow_completer import FlowCompleterConfig

__all__ = ["FlowTrainConfig"]


@dataclass(frozen=True, kw_only=True)
class FlowTrainConfig(HelperTrainConfig):
    """The settings of the flow completion network's training."""

    command: ClassVar[str] = "train-flow"
    names: ClassVar[tuple[str, ...]] = ("flow",)
    grid: ClassVar[int] = REDUCTION * MULTIPLE

    network: FlowCompleterConfig = field(default_factory=FlowCompleterConfig)
    sample: CutConfig = field(default_factory=lambda: CutConfig(frames=8, size=(320, 192)))
    estimated: float = 0.5
    """Share of samples whose flow is estimated with the holes, as the runtime does; the others hide a part of the
    complete frames' flow, which has no errors outside of the hole."""
    gain: float = 0.7
    """Those others are slowed down or sped up by a random factor, whose logarithm reaches from -gain to gain."""
    spread: float = 0.1
    """Weight of the negative log-likelihood of the error, beside the error itself, whose weight is 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sample.frames < 2:
            raise InputError("training config: sample frames is 1, expected 2 or more: there is no flow in one frame")
        check_numbers("training config", self, "estimated", most=1)
        check_numbers("training config", self, "gain", "spread")
