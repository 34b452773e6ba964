"""The blocks that encoder and decoder are built from."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.engine.spec import WarpConvention
from ptfan.training.model.timeline import Place, Timeline

__all__ = ["Bottleneck", "GatedDecoderLayer", "GatedEncoderLayer", "Pointwise", "convolution", "leaky", "upsample"]

LEAK = 0.2
"""Slope of the decoder's leaky rectifiers below zero."""

OPEN_GATE = 1.0
"""Bias of a fresh gate: sigmoid(1) = 0.73, so that features pass before the gates have learned anything."""


def convolution(inputs: int, outputs: int, kernel: int, *, stride: int = 1, dilation: int = 1, bias: bool) -> nn.Conv2d:
    """Return a convolution that keeps the size (divided by `stride`), Kaiming initialised, its bias zero."""
    padding = dilation * (kernel - 1) // 2
    layer = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=bias)
    nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def upsample(x: Tensor, factor: int) -> Tensor:
    """Enlarge (N, C, h, w) to (N, C, factor * h, factor * w), nearest."""
    return F.interpolate(x, scale_factor=float(factor), mode="nearest")


def leaky(x: Tensor) -> Tensor:
    """Return the decoder's activation of x."""
    return F.leaky_relu(x, LEAK)


class GatedEncoderLayer(nn.Module):
    """A gated 1x1 convolution of the shifted and aligned features; feature and gate both see these.

    So both are one convolution with twice the outputs: the feature's first, then the gate's.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        place: Place,
        fold: int,
        convention: WarpConvention | None,
        gated: bool = True,
    ) -> None:
        """Take 1 / `fold` of the channels from each neighbour; `convention` None shifts without warping.

        Without `gated` there is no gate, and half of the convolution.
        """
        super().__init__()
        self.place = place
        self.fold = inputs // fold
        self.convention: WarpConvention | None = convention
        self.gated = gated
        self.conv = convolution(inputs, (2 if gated else 1) * outputs, 1, bias=False)

    def forward(self, x: Tensor, time: Timeline) -> tuple[Tensor, Tensor]:
        """Map (N, inputs, h, w) to (N, outputs, h, w); return that, and the input of the same frames."""
        own, shifted = time.align(x, self.place, self.fold, self.convention)
        y: Tensor = self.conv(shifted)
        if self.gated:
            feature, gate = y.chunk(2, dim=1)
            y = torch.sigmoid(gate) * feature
        return y, own


class GatedDecoderLayer(nn.Module):
    """A gated convolution whose feature sees the shifted and aligned input, its gate the input itself."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        place: Place,
        fold: int,
        convention: WarpConvention | None,
        activate: bool = True,
        gated: bool = True,
    ) -> None:
        """Take 1 / `fold` of the channels from each neighbour; without `activate` the feature stays linear.

        Without `gated` there is no gate, and the feature is the answer.
        """
        super().__init__()
        self.place = place
        self.fold = inputs // fold
        self.convention: WarpConvention | None = convention
        self.activate = activate
        self.feature = convolution(inputs, outputs, kernel, bias=True)
        self.gate = convolution(inputs, outputs, kernel, bias=True) if gated else None
        if self.gate is not None and self.gate.bias is not None:
            nn.init.constant_(self.gate.bias, OPEN_GATE)

    def forward(self, x: Tensor, time: Timeline) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h, w)."""
        own, shifted = time.align(x, self.place, self.fold, self.convention)
        y: Tensor = self.feature(shifted)
        if self.activate:
            y = leaky(y)
        return y if self.gate is None else torch.sigmoid(self.gate(own)) * y


class Pointwise(nn.Module):
    """A 1x1 convolution and the leaky rectifier.

    The paper enlarges (nearest) and then applies these. Both work on each pixel alone, so that applying them first
    gives the same numbers for a quarter of the work.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        """Map `inputs` channels to `outputs`."""
        super().__init__()
        self.conv = convolution(inputs, outputs, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h, w)."""
        return leaky(self.conv(x))


class Bottleneck(nn.Module):
    """ResNet's bottleneck with the stride in its 3x3 convolution and a gated temporal layer as its first 1x1."""

    def __init__(
        self,
        inputs: int,
        width: int,
        outputs: int,
        *,
        stride: int,
        dilation: int,
        shortcut: bool,
        place: Place,
        fold: int,
        convention: WarpConvention | None,
        gated: bool = True,
    ) -> None:
        """`shortcut` brings the identity to the output's shape by a strided 1x1 convolution."""
        super().__init__()
        self.reduce = GatedEncoderLayer(inputs, width, place=place, fold=fold, convention=convention, gated=gated)
        self.norm1 = nn.BatchNorm2d(width)
        self.spatial = convolution(width, width, 3, stride=stride, dilation=dilation, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.expand = convolution(width, outputs, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(outputs)
        self.shortcut = _shortcut(inputs, outputs, stride) if shortcut else nn.Identity()

    def forward(self, x: Tensor, time: Timeline) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        y, own = self.reduce(x, time)
        y = F.relu(self.norm1(y))
        y = F.relu(self.norm2(self.spatial(y)))
        y = self.norm3(self.expand(y))
        return F.relu(y + self.shortcut(own))


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(convolution(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
