"""The block that the helper networks are built of."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.training.model.blocks import convolution

__all__ = ["ResidualBlock"]

GAIN = 0.3
"""Of a fresh block's second convolution, so that many blocks in a row change little."""


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions round an identity."""

    def __init__(self, channels: int) -> None:
        """Take and give `channels` channels."""
        super().__init__()
        self.first = convolution(channels, channels, 3, bias=True)
        self.second = convolution(channels, channels, 3, bias=True)
        with torch.no_grad():
            self.second.weight.mul_(GAIN)

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """Return (N, channels, h, w): x, and what the convolutions make of it, or of what they see in its place."""
        y: Tensor = x + self.second(F.relu(self.first(F.relu(x if seen is None else seen))))
        return y
