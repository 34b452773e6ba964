"""The encoder: a residual network whose every bottleneck begins with a temporal layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.engine.spec import WarpConvention
from ptfan.training.model.blocks import Bottleneck, convolution
from ptfan.training.model.config import AlignedPart, GeneratorConfig, Stage
from ptfan.training.model.timeline import Place, Timeline

__all__ = ["Encoder", "EncoderStage", "Features", "convention_of"]

STAGES: tuple[AlignedPart, ...] = ("stage1", "stage2", "stage3", "stage4")


class Features(NamedTuple):
    """What the encoder hands to the decoder."""

    stem: Tensor
    """(N, stem_width, H / 2, W / 2)."""
    c1: Tensor
    """Stage 1, (N, channels, H / 4, W / 4)."""
    c2: Tensor
    """Stage 2, (N, channels, H / 8, W / 8)."""
    c4: Tensor
    """Stage 3, (N, channels, H / 8, W / 8)."""
    c8: Tensor
    """Stage 4, (N, channels, H / 8, W / 8)."""


def convention_of(config: GeneratorConfig, part: AlignedPart) -> WarpConvention | None:
    """Return the warp convention of the layers of `part`, None where they shift without aligning."""
    return config.convention if config.aligns(part) else None


class Encoder(nn.Module):
    """Stem, max-pool and four stages of bottlenecks, down to an eighth of the size."""

    def __init__(self, config: GeneratorConfig) -> None:
        """Build from a config."""
        super().__init__()
        self.stem = convolution(config.input_channels, config.stem_width, config.stem_kernel, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(config.stem_width)
        self.stages = nn.ModuleList()
        inputs, depth, size = config.stem_width, 0, 4
        for stage, part in zip(config.stages, STAGES, strict=True):
            self.stages.append(_stage(inputs, stage, config, part, depth, size))
            inputs, depth, size = stage.channels, depth + len(stage.dilations), size * stage.stride

    def forward(self, x: Tensor, time: Timeline) -> Features:
        """Encode (N, 5, H, W)."""
        stem = F.relu(self.norm(self.stem(x)))
        y = F.max_pool2d(stem, kernel_size=3, stride=2, padding=1)
        outputs: list[Tensor] = []
        for stage in self.stages:
            y = stage(y, time)
            outputs.append(y)
        return Features(stem, *outputs)


class EncoderStage(nn.Module):
    """A row of bottlenecks, the first of which may halve the size."""

    def __init__(self, blocks: Iterable[Bottleneck]) -> None:
        """Put the bottlenecks in a row."""
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, time: Timeline) -> Tensor:
        """Map (N, inputs, h, w) to (N, channels, h / stride, w / stride)."""
        for block in self.blocks:
            x = block(x, time)
        return x


def _stage(
    inputs: int, stage: Stage, config: GeneratorConfig, part: AlignedPart, depth: int, size: int
) -> EncoderStage:
    """Build `stage` for `inputs` channels at 1 / `size`, behind `depth` temporal layers."""
    blocks = []
    for index, dilation in enumerate(stage.dilations):
        stride = stage.stride if index == 0 else 1
        block = Bottleneck(
            inputs,
            stage.width,
            stage.channels,
            stride=stride,
            dilation=dilation,
            shortcut=stride > 1 or inputs != stage.channels,
            place=Place(depth + index + 1, size),
            fold=config.encoder_fold,
            convention=convention_of(config, part),
            gated=config.gated,
        )
        blocks.append(block)
        inputs, size = stage.channels, size * stride  # A temporal layer stands before its block's stride.
    return EncoderStage(blocks)
