"""The encoder: a residual network whose every bottleneck begins with a temporal layer."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.engine.spec import WarpConvention
from ptfan.training.model.align import MotionPyramid
from ptfan.training.model.blocks import Bottleneck, convolution
from ptfan.training.model.config import AlignedPart, GeneratorConfig, Stage

__all__ = ["Encoder", "EncoderStage", "Features", "convention_of"]


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
        inputs = (config.stem_width, *(stage.channels for stage in config.stages[:3]))
        parts: tuple[AlignedPart, ...] = ("stage1", "stage2", "stage3", "stage4")
        stages = zip(inputs, config.stages, parts, strict=True)
        self.stages = nn.ModuleList(EncoderStage(channels, stage, config, part) for channels, stage, part in stages)
        self.strides = tuple(stage.stride for stage in config.stages)

    def forward(self, x: Tensor, motion: MotionPyramid) -> Features:
        """Encode (N, 5, H, W)."""
        stem = F.relu(self.norm(self.stem(x)))
        y = F.max_pool2d(stem, kernel_size=3, stride=2, padding=1)
        size = 4
        outputs: list[Tensor] = []
        for stage, stride in zip(self.stages, self.strides, strict=True):
            y = stage(y, motion, size)
            size *= stride
            outputs.append(y)
        return Features(stem, *outputs)


class EncoderStage(nn.Module):
    """A row of bottlenecks, the first of which may halve the size."""

    def __init__(self, inputs: int, stage: Stage, config: GeneratorConfig, part: AlignedPart) -> None:
        """Build `stage` of a config for `inputs` channels; `part` is its name."""
        super().__init__()
        self.stride = stage.stride
        self.blocks = nn.ModuleList()
        for index, dilation in enumerate(stage.dilations):
            stride = stage.stride if index == 0 else 1
            block = Bottleneck(
                inputs,
                stage.width,
                stage.channels,
                stride=stride,
                dilation=dilation,
                shortcut=stride > 1 or inputs != stage.channels,
                fold=config.encoder_fold,
                convention=convention_of(config, part),
                gated=config.gated,
            )
            self.blocks.append(block)
            inputs = stage.channels

    def forward(self, x: Tensor, motion: MotionPyramid, size: int) -> Tensor:
        """Map (N, inputs, h, w), which is 1 / `size` of the frames, to (N, channels, h / stride, w / stride)."""
        for index, block in enumerate(self.blocks):
            # A bottleneck's temporal layer stands before its stride: the first one works at the input's size.
            x = block(x, motion.at(size if index == 0 else size * self.stride))
        return x
