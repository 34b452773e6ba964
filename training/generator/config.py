"""The settings of a generator's training: frozen dataclasses, one JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal

from ptfan.engine.checks import check_numbers
from ptfan.engine.errors import InputError
from ptfan.training.data.sample_config import SampleConfig
from ptfan.training.model.config import GeneratorConfig, preset
from ptfan.training.runs.config import RunConfig

__all__ = ["LossConfig", "TrainConfig"]


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
        weights = ("frame", "hole", "own_hole", "own_known", "perceptual", "style", "adversarial")
        check_numbers("losses", self, *weights)
        if self.frame + self.hole + self.own_hole + self.perceptual <= 0.0:
            raise InputError("losses: nothing looks into the hole; give hole, frame, own_hole or perceptual a weight")
        check_numbers("losses", self, "view_frames", "view_side")
        check_numbers("losses", self, "discriminator_width", least=1)
        if 0 < self.view_side < 32:
            raise InputError(f"losses: view_side is {self.view_side}, expected 0 or at least 32 pixels")

    @property
    def needs_backbone(self) -> bool:
        """Whether a feature network is needed."""
        return self.perceptual > 0 or self.style > 0


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RunConfig):
    """The settings of a generator's training."""

    command: ClassVar[str] = "train"
    names: ClassVar[tuple[str, ...]] = (
        "paper-davis", "paper-fvi-1", "paper-fvi-2", "s", "s-2", "s-3", "s-live", "s-live-2", "s-soon", "s-soon-2",
    )  # fmt: skip

    preset: str = "s"
    """The generator's preset."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Fields of the generator's config that differ from the preset's, for variants such as `alignment: shift`."""
    sample: SampleConfig = field(default_factory=SampleConfig)
    """What a clip looks like: frames, size, holes, flow, augmentation."""
    losses: LossConfig = field(default_factory=LossConfig)
    """What is lowered."""
    freeze_norm_after: float = 0.6
    """Share of the run after which batch norm uses, and no longer updates, its running statistics."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_numbers("training config", self, "freeze_norm_after", most=1)
        self.architecture()

    def architecture(self) -> GeneratorConfig:
        """Return the generator's config: the preset's, with the changes.

        Raises:
            ModelError: there is no such preset, or the changes make no valid config.
        """
        values = asdict(preset(self.preset)) | self.changes
        return GeneratorConfig.from_json(json.dumps(values))

    def changed(self, *, steps: int | None = None, backbone: str | None = None) -> TrainConfig:
        """Return the settings with other values where they are not None.

        Raises:
            InputError: one is out of range.
        """
        losses = self.losses if backbone is None else replace(self.losses, backbone=backbone)
        return replace(super().changed(steps=steps), losses=losses)
