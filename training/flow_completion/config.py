"""The settings of the flow completion network's training: frozen dataclasses, one JSON file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ptfan.engine.errors import InputError
from ptfan.engine.prepare.flow_completion import MULTIPLE, REDUCTION
from ptfan.training.data.sample_config import CutConfig
from ptfan.training.model.flow_completer import FlowCompleterConfig
from ptfan.training.runs.config import RunConfig

__all__ = ["FlowTrainConfig"]


@dataclass(frozen=True, kw_only=True)
class FlowTrainConfig(RunConfig):
    """The settings of the flow completion network's training."""

    command: ClassVar[str] = "train-flow"
    names: ClassVar[tuple[str, ...]] = ("flow",)

    network: FlowCompleterConfig = field(default_factory=FlowCompleterConfig)
    """The architecture."""
    sample: CutConfig = field(default_factory=lambda: CutConfig(frames=8, size=(320, 192)))
    """What a clip looks like; its size is that of the frames, of which the network sees a quarter."""
    estimated: float = 0.5
    """Share of samples whose flow is estimated with the holes, as the runtime does; the others hide a part of the
    complete frames' flow, which has no errors outside of the hole."""
    gain: float = 0.7
    """Those others are slowed down or sped up by a random factor, whose logarithm reaches from -gain to gain."""
    spread: float = 0.1
    """Weight of the negative log-likelihood of the error, beside the error itself, whose weight is 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        grid = REDUCTION * MULTIPLE
        if any(side % grid for side in self.sample.size):
            raise InputError(f"training config: sample size is {self.sample.size}, expected multiples of {grid}")
        if self.sample.frames < 2:
            raise InputError("training config: sample frames is 1, expected 2 or more: there is no flow in one frame")
        if not 0.0 <= self.estimated <= 1.0:
            raise InputError(f"training config: estimated is {self.estimated}, expected 0 to 1")
        for name in ("gain", "spread"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise InputError(f"training config: {name} is {getattr(self, name)}, expected 0 or more")
