"""The settings of a training run: frozen dataclasses, one JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.training.model.config import GeneratorConfig, preset
from ptfan.training.sample_config import SampleConfig
from ptfan.training.settings import from_object

__all__ = ["LossConfig", "OptimizerConfig", "Precision", "ScheduleConfig", "TrainConfig", "config_names"]

Precision = Literal["fp32", "bf16", "fp16"]
CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """What training lowers: weights, of which 0 leaves a loss out at no cost, and how the losses are computed."""

    frame: float = 0.0
    """Weight of the fill's mean absolute error over the whole frame."""
    hole: float = 1.0
    """Weight of the fill's mean absolute error inside the hole."""
    own_hole: float = 0.5
    """Weight of the network's own picture's mean absolute error inside the hole; `s` blends that picture with the
    propagated colours, and this keeps it alive where the blend prefers those."""
    own_known: float = 0.25
    """Weight of the same outside the hole."""
    perceptual: float = 0.0
    """Weight of the mean absolute error of the backbone's features, summed over its second to fourth layer."""
    style: float = 0.0
    """Weight of the mean absolute error of these features' Gram matrices."""
    adversarial: float = 0.0
    """Weight of the least-squares adversarial loss of the temporal patch discriminator."""
    hole_mean: Literal["hole", "frame"] = "hole"
    """Losses inside and outside the hole are means over those pixels, or sums there divided by all of the frame's
    pixels, as the published code has it."""
    composite: bool = True
    """The perceptual, style and adversarial losses see the fill inside the hole and the truth around it; without, the
    fill everywhere, as published."""
    backbone: str = "vgg16"
    """The network of the perceptual and style losses: a name of `ptfan.training.features`, or a weights file."""
    view_frames: int = 0
    """Frames of each clip that those two losses look at, others at each step; 0 for all."""
    view_side: int = 0
    """Side in pixels of the square round a place in the hole that they look at, another at each step; 0 for whole
    frames. Both together make these losses affordable on a CPU."""
    discriminator_width: int = 64
    """Channels of the discriminator's first convolution; the widest have four times as many."""

    def __post_init__(self) -> None:
        for name in ("frame", "hole", "own_hole", "own_known", "perceptual", "style", "adversarial"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise InputError(f"losses: {name} is {getattr(self, name)}, expected a weight of 0 or more")
        if self.frame + self.hole + self.own_hole + self.perceptual <= 0.0:
            raise InputError("losses: nothing looks into the hole; give hole, frame, own_hole or perceptual a weight")
        for name, least in (("view_frames", 0), ("view_side", 0), ("discriminator_width", 1)):
            if getattr(self, name) < least:
                raise InputError(f"losses: {name} is {getattr(self, name)}, expected {least} or more")
        if 0 < self.view_side < 32:
            raise InputError(f"losses: view_side is {self.view_side}, expected 0 or at least 32 pixels")

    @property
    def needs_backbone(self) -> bool:
        """Whether a feature network is needed."""
        return self.perceptual > 0 or self.style > 0


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """How the learning rate goes, as a share of its peak."""

    kind: Literal["cosine", "step"] = "cosine"
    """After the warm-up: down to `floor` along a cosine, or multiplied by `decay` every `decay_every` steps."""
    warmup: int = 200
    """Steps of linear rise."""
    floor: float = 0.01
    """Where the cosine ends."""
    decay: float = 0.97
    """The factor of a decay by steps."""
    decay_every: int = 1000
    """Steps from one decay to the next."""

    def __post_init__(self) -> None:
        for name, least in (("warmup", 0), ("decay_every", 1)):
            if getattr(self, name) < least:
                raise InputError(f"schedule: {name} is {getattr(self, name)}, expected {least} or more")
        for name in ("floor", "decay"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"schedule: {name} is {getattr(self, name)}, expected 0 to 1")


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Adam, for the generator and for the discriminator."""

    learning_rate: float = 1e-3
    """The generator's peak learning rate."""
    discriminator_rate: float = 1e-4
    """The discriminator's peak learning rate; both follow the same schedule."""
    weight_decay: float = 1e-4
    """Decoupled weight decay (AdamW); with 0 it is Adam."""
    amsgrad: bool = False
    """Divide by the largest second moment so far."""
    clip_gradient: float = 1.0
    """The largest norm of each network's gradient; 0 leaves it as it is."""

    def __post_init__(self) -> None:
        for name in ("learning_rate", "discriminator_rate"):
            if not 0.0 < getattr(self, name) < float("inf"):
                raise InputError(f"optimizer: {name} is {getattr(self, name)}, expected more than 0")
        for name in ("weight_decay", "clip_gradient"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise InputError(f"optimizer: {name} is {getattr(self, name)}, expected 0 or more")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that decides the outcome of a run, beside the data and the weights it starts from."""

    preset: str = "s"
    """The generator's preset."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Fields of the generator's config that differ from the preset's, for variants such as `alignment: shift`."""
    steps: int = 10_000
    """Optimiser steps in the whole run."""
    batch: int = 2
    """Clips in a step, over all processes and passes: the same however many GPUs share them."""
    accumulate: int = 1
    """Passes that a step is divided into, for less memory; batch norm sees a pass at a time."""
    sample: SampleConfig = field(default_factory=SampleConfig)
    """What a clip looks like: frames, size, holes, flow, augmentation."""
    losses: LossConfig = field(default_factory=LossConfig)
    """What is lowered."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    """How."""
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    """The learning rate's way."""
    average: float = 0.999
    """Decay, per step, of the running average of the weights, which is what is saved for use. It rises to this value: a
    young average would be dominated by the first, random weights. 0 saves the weights themselves."""
    freeze_norm_after: float = 0.6
    """Share of the run after which batch norm uses, and no longer updates, its running statistics."""
    precision: Precision = "fp32"
    """Numbers that the networks compute with where torch's autocast allows: `bf16` (GPUs from Ampere on; slower than
    fp32 on most CPUs), `fp16` (GPUs alone, with loss scaling) or `fp32`."""
    seed: int = 0
    """Seed of the weights and of the samples."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "accumulate"):
            if getattr(self, name) < 1:
                raise InputError(f"training config: {name} is {getattr(self, name)}, expected 1 or more")
        if self.batch % self.accumulate:
            raise InputError(f"training config: batch is {self.batch}, expected a multiple of {self.accumulate} passes")
        if not 0.0 <= self.average < 1.0:
            raise InputError(f"training config: average is {self.average}, expected 0 to below 1")
        if not 0.0 <= self.freeze_norm_after <= 1.0:
            raise InputError(f"training config: freeze_norm_after is {self.freeze_norm_after}, expected 0 to 1")
        self.architecture()

    def architecture(self) -> GeneratorConfig:
        """Return the generator's config: the preset's, with the changes.

        Raises:
            ModelError: there is no such preset, or the changes make no valid config.
        """
        values = json.loads(preset(self.preset).to_json()) | self.changes
        return GeneratorConfig.from_json(json.dumps(values))

    def changed(self, *, steps: int | None = None, backbone: str | None = None) -> TrainConfig:
        """Return the settings with other values where they are not None.

        Raises:
            InputError: one is out of range.
        """
        losses = self.losses if backbone is None else replace(self.losses, backbone=backbone)
        return replace(self, losses=losses, steps=self.steps if steps is None else steps)

    def to_json(self) -> str:
        """Return the settings as one JSON object."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """Read settings that `to_json` wrote; fields left out keep their defaults.

        Raises:
            InputError: not JSON, or a field is unknown, of a wrong type or out of range.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise InputError(f"training config: is no JSON ({error})") from error
        return from_object(cls, values, "training config")

    @classmethod
    def read(cls, source: str | Path) -> TrainConfig:
        """Read a configuration of the package by its name (see `config_names`), or a JSON file.

        Raises:
            InputNotFoundError: there is neither such a name nor such a file.
            InputError: see `from_json`.
        """
        path = CONFIGS / f"{source}.json" if str(source) in config_names() else Path(source)
        if not path.is_file():
            names = ", ".join(config_names())
            raise InputNotFoundError(f"training config: {source} is not there; expected a JSON file, or one of {names}")
        return cls.from_json(path.read_text(encoding="utf-8"))


def config_names() -> list[str]:
    """Return the names of the configurations in the package."""
    return sorted(path.stem for path in CONFIGS.glob("*.json"))
