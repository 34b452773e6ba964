"""The two decoders: the paper's, and a light one that stays below full size."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.training.model.blocks import GatedDecoderLayer, Pointwise, convolution, upsample
from ptfan.training.model.config import GeneratorConfig
from ptfan.training.model.encoder import Features, convention_of
from ptfan.training.model.timeline import Place, Timeline

__all__ = ["Depths", "LightDecoder", "PaperDecoder", "Parts", "blurred"]


class Parts(NamedTuple):
    """A generator's answer in parts, for losses and logs."""

    fill: Tensor
    """What goes into the hole, (N, 3, H, W)."""
    own: Tensor
    """The picture that the network itself has made, (N, 3, H, W); `fill` itself where there is no blend."""
    blend_logit: Tensor | None
    """Its sigmoid is the share of the input frame in `fill`, (N, 1, H, W); None where there is no blend."""


class Depths(NamedTuple):
    """Temporal layers that the encoder's outputs have passed, see `Features`."""

    c1: int
    c2: int
    c4: int
    c8: int

    @classmethod
    def build(cls, config: GeneratorConfig) -> Depths:
        """Count a config's."""
        return cls(*accumulate(len(stage.dilations) for stage in config.stages))


class PaperDecoder(nn.Module):
    """The paper's decoder: three times enlarge, add a skip, and a gated temporal 3x3 layer, the last at full size."""

    def __init__(self, config: GeneratorConfig) -> None:
        """Build from a config."""
        super().__init__()
        _, c2, c4, c8 = (stage.channels for stage in config.stages)
        width = config.decoder_widths[0]
        self.depths = depths = Depths.build(config)
        self.skip2 = _temporal(config, c2, width, 1, Place(depths.c2 + 1, 8))
        self.skip4 = _temporal(config, c4, width, 1, Place(depths.c4 + 1, 8))
        self.reduce1 = Pointwise(c8, width)
        self.mix1 = _temporal(config, width, width, 3, Place(depths.c8 + 1, 4))
        self.reduce2 = Pointwise(width, width)
        self.mix2 = _temporal(config, width, width, 3, Place(depths.c8 + 2, 2))
        self.reduce3 = Pointwise(width, width)
        self.head = _temporal(config, width, 3, 3, Place(depths.c8 + 3, 1), activate=False)

    def forward(self, features: Features, frames: Tensor, time: Timeline) -> Parts:
        """Decode to a picture; `frames` is not looked at."""
        depths = self.depths
        skip2 = time.wait(self.skip2(features.c2, time), since=depths.c2 + 1, until=depths.c8 + 1)
        skip4 = time.wait(self.skip4(features.c4, time), since=depths.c4 + 1, until=depths.c8)
        c1 = time.wait(features.c1, since=depths.c1, until=depths.c8 + 2)
        y = upsample(self.reduce1(features.c8) + skip4, 2)
        y = self.mix1(y, time)
        y = upsample(self.reduce2(y), 2) + upsample(skip2, 4)
        y = self.mix2(y, time)
        y = upsample(self.reduce3(y), 2) + upsample(c1, 4)
        own = self.head(y, time)
        return Parts(own, own, None)


class LightDecoder(nn.Module):
    """A decoder whose temporal layers end at half size, and which blends its picture with the propagated colours.

    The network's own picture is a plain, ungated sum on top of the blurred input, which brings the colours but not what
    the propagation got wrong in detail. A loss is to be put on it beside the one on the blend: a gated residual on top
    of the propagated colours themselves dies for good when its gate once saturates, and training goes on as if nothing
    had happened, since those colours alone make a decent answer. A loss on `own` reaches every layer, whatever the
    blend does.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        """Build from a config."""
        super().__init__()
        c1, _, c4, c8 = (stage.channels for stage in config.stages)
        wide, narrow = config.decoder_widths
        self.depths = depths = Depths.build(config)
        self.reduce1 = Pointwise(c8, wide)
        self.skip4 = _temporal(config, c4, wide, 1, Place(depths.c4 + 1, 8))
        self.skip1 = convolution(c1, wide, 1, bias=True)
        self.mix1 = _temporal(config, wide, wide, 3, Place(depths.c8 + 1, 4))
        self.reduce2 = Pointwise(wide, narrow)
        self.skip0 = convolution(config.stem_width, narrow, 1, bias=True)
        self.mix2 = _temporal(config, narrow, narrow, 3, Place(depths.c8 + 2, 2))
        self.head = convolution(narrow, 16, 3, bias=True)
        # A fresh head adds nothing to the blurred frames and is undecided (blend = 0.5), whatever the features' scale.
        with torch.no_grad():
            self.head.weight.mul_(0.1)

    def forward(self, features: Features, frames: Tensor, time: Timeline) -> Parts:
        """Decode to a picture and blend it with `frames` (N, 3, H, W), whose holes hold propagated colours."""
        depths = self.depths
        skip4 = time.wait(self.skip4(features.c4, time), since=depths.c4 + 1, until=depths.c8)
        skip1 = time.wait(self.skip1(features.c1), since=depths.c1, until=depths.c8)
        skip0 = time.wait(self.skip0(features.stem), since=0, until=depths.c8 + 1)
        frames = time.wait(frames, since=0, until=depths.c8 + 2)
        y = self.reduce1(features.c8) + skip4
        y = upsample(y, 2) + skip1
        y = self.mix1(y, time)
        y = upsample(self.reduce2(y), 2) + skip0
        # Mixed-precision training ends in the frames' own type: bfloat16 has hardly more steps than a byte.
        y = F.pixel_shuffle(self.head(self.mix2(y, time)), 2).to(frames.dtype)
        own, blend_logit = y[:, :3] + blurred(frames), y[:, 3:]
        return Parts(torch.lerp(own, frames, torch.sigmoid(blend_logit)), own, blend_logit)


def blurred(frames: Tensor) -> Tensor:
    """Return the means of 8 x 8 pixels, enlarged smoothly to the size of `frames` (N, C, H, W) again."""
    means = F.avg_pool2d(frames, 8)
    return F.interpolate(means, scale_factor=8.0, mode="bilinear", align_corners=False)


def _temporal(
    config: GeneratorConfig, inputs: int, outputs: int, kernel: int, place: Place, *, activate: bool = True
) -> GatedDecoderLayer:
    convention = convention_of(config, "decoder")
    return GatedDecoderLayer(
        inputs,
        outputs,
        kernel,
        place=place,
        fold=config.decoder_fold,
        convention=convention,
        activate=activate,
        gated=config.gated,
    )
