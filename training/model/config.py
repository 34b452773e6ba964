"""What a generator is made of: a frozen config, and the two presets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from ptfan.engine.checks import check_choice
from ptfan.engine.errors import ModelError
from ptfan.engine.spec import Fill, WarpConvention
from ptfan.engine.typed_json import from_text

__all__ = ["PRESETS", "AlignedPart", "Alignment", "DecoderKind", "GeneratorConfig", "Stage", "preset"]

DecoderKind = Literal["paper", "light"]
Alignment = Literal["aligned", "shift"]
AlignedPart = Literal["stage1", "stage2", "stage3", "stage4", "decoder"]

EXPANSION = 4
"""A bottleneck's output channels per channel of its middle."""


@dataclass(frozen=True)
class Stage:
    """One encoder stage: a row of bottlenecks of one width."""

    width: int
    """Channels in the middle of each bottleneck; its output has four times as many."""
    dilations: tuple[int, ...]
    """The dilation of each bottleneck's 3x3 convolution, one entry a bottleneck."""
    stride: int = 1
    """The stride of the first bottleneck, 1 or 2."""

    @property
    def channels(self) -> int:
        """The stage's output channels."""
        return EXPANSION * self.width


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """The whole architecture; two generators of equal configs have equal state dicts.

    The strides make stage 1 come out at a quarter of the frame's size and stages 2 to 4 at an eighth.
    """

    name: str
    """The preset's name, or any other for a variant."""
    stem_width: int
    """Output channels of the first convolution, which halves the size."""
    stem_kernel: int
    """Side of the first convolution's kernel in pixels, odd."""
    stages: tuple[Stage, Stage, Stage, Stage]
    """The four encoder stages."""
    decoder: DecoderKind
    """`paper`: three temporal 3x3 layers, the last at full size. `light`: two, the last at half size."""
    decoder_widths: tuple[int, int]
    """Channels of the decoder: at a quarter of the size, and after it."""
    encoder_fold: int = 8
    """An encoder layer takes 1 / encoder_fold of its channels from the next frame, as many from the previous."""
    decoder_fold: int = 4
    """The same for a decoder layer."""
    alignment: Alignment = "aligned"
    """`aligned`: channels from other frames are warped along the flow. `shift`: taken as they are (plain TSM)."""
    aligned_parts: tuple[AlignedPart, ...] = get_args(AlignedPart)
    """The parts whose layers align; the others shift. All of them is the paper's progressive alignment."""
    gated: bool = True
    """Whether temporal layers multiply their features by a learned gate, as the paper's do."""
    convention: WarpConvention = "pixel"
    """Where a warp samples, see `ptfan.training.model.align.flow_warp`."""
    fill: Fill = "zero"
    """What stands in the hole of the input frames: `zero`, or colours `propagated` along the flow."""
    lookahead: int | None = None
    """Temporal layers along the deepest path that look one frame ahead, from the first; the others take both of their
    folds from the frame before. So many frames a stream must wait. None: all of them, as the paper's."""

    def __post_init__(self) -> None:
        check_choice("generator config: decoder", self.decoder, DecoderKind, ModelError)
        check_choice("generator config: alignment", self.alignment, Alignment, ModelError)
        check_choice("generator config: convention", self.convention, WarpConvention, ModelError)
        check_choice("generator config: fill", self.fill, Fill, ModelError)
        for part in self.aligned_parts:
            check_choice("generator config: aligned_parts", part, AlignedPart, ModelError)
        self._check_stages()
        self._check_widths()
        if self.lookahead is not None and not 0 <= self.lookahead <= self.temporal_layers:
            raise ModelError(
                f"generator config: lookahead is {self.lookahead}, expected 0 to {self.temporal_layers}, or none"
            )

    def _check_stages(self) -> None:
        strides = tuple(stage.stride for stage in self.stages)
        if strides != (1, 2, 1, 1):
            raise ModelError(f"generator config: stage strides are {strides}, expected (1, 2, 1, 1)")
        for stage in self.stages:
            if not stage.dilations or min(stage.dilations) < 1:
                raise ModelError(f"generator config: dilations {stage.dilations}, expected one a block, 1 or more each")
        if self.stem_kernel < 1 or self.stem_kernel % 2 == 0:
            raise ModelError(f"generator config: stem_kernel is {self.stem_kernel}, expected an odd number")

    def _check_widths(self) -> None:
        parts = min(self.encoder_fold, self.decoder_fold)
        if parts < 2:
            raise ModelError(f"generator config: a fold of 1 / {parts} of the channels, expected at most a half")
        channels = (self.stem_width, *(stage.channels for stage in self.stages), *self.decoder_widths)
        if min(channels) < max(self.encoder_fold, self.decoder_fold):
            raise ModelError(f"generator config: a width of {min(channels)} channels is too small to be folded")
        if self.decoder == "paper" and self.decoder_widths != (self.stages[0].channels,) * 2:
            raise ModelError(
                f"generator config: decoder_widths are {self.decoder_widths}, "
                f"expected stage 1's {self.stages[0].channels} twice: the paper's decoder adds its output"
            )

    @property
    def size_multiple(self) -> int:
        """Height and width of the frames must be multiples of this, in pixels."""
        return 8

    @property
    def input_channels(self) -> int:
        """Red, green, blue, the known mask and the guidance."""
        return 5

    @property
    def encoder_layers(self) -> int:
        """Temporal layers of the encoder: one in each bottleneck."""
        return sum(len(stage.dilations) for stage in self.stages)

    @property
    def temporal_layers(self) -> int:
        """Temporal layers on the deepest path, which is the clip form's temporal reach in frames, either way."""
        return self.encoder_layers + {"paper": 3, "light": 2}[self.decoder]

    @property
    def layers_ahead(self) -> int:
        """Temporal layers along the deepest path that look ahead: `lookahead`, or all. As many frames must follow."""
        return self.temporal_layers if self.lookahead is None else self.lookahead

    def aligns(self, part: AlignedPart) -> bool:
        """Whether the layers of `part` warp what they take from other frames."""
        return self.alignment == "aligned" and part in self.aligned_parts

    def to_json(self) -> str:
        """Return the config as one JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> GeneratorConfig:
        """Read a config that `to_json` wrote.

        Raises:
            ModelError: the text is not JSON, or a field is missing, unknown or out of range.
        """
        return from_text(cls, text, "generator config", raised=ModelError, advice="; was it written by a newer ptfan?")


R50 = GeneratorConfig(
    name="r50",
    stem_width=64,
    stem_kernel=7,
    stages=(
        Stage(64, (1, 1, 1)),
        Stage(128, (1, 1, 1, 1), stride=2),
        Stage(256, (1, 2, 2, 2, 2, 2)),
        Stage(512, (2, 4, 4)),
    ),
    decoder="paper",
    decoder_widths=(256, 256),
)
"""The network of the paper: a dilated ResNet-50 encoder, 31.66 M parameters."""

S = GeneratorConfig(
    name="s",
    stem_width=32,
    stem_kernel=5,
    stages=(Stage(24, (1, 1)), Stage(48, (1, 1), stride=2), Stage(64, (1, 2, 2)), Stage(64, (2, 4))),
    decoder="light",
    decoder_widths=(64, 32),
    fill="propagated",
)
"""The one that is shipped: the same design below full size, under 5 GFLOP a frame at 432x240."""

PRESETS: dict[str, GeneratorConfig] = {config.name: config for config in (R50, S)}
"""The presets by name."""


def preset(name: str, **changes: Any) -> GeneratorConfig:
    """Return the preset called `name`, with the fields in `changes` replaced.

    Raises:
        ModelError: there is no such preset, or a change makes no valid config.
    """
    if name not in PRESETS:
        raise ModelError(f"no preset is called {name!r}, expected one of {', '.join(PRESETS)}")
    return replace(PRESETS[name], **changes)
