"""The temporal patch discriminator, and its game against the generator."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["Discriminator", "discriminator_loss", "generator_loss"]

LEAK = 0.2
"""Slope of the leaky rectifiers below zero."""
KERNEL, STRIDE, PADDING = (3, 5, 5), (1, 2, 2), (1, 2, 2)
"""Of every convolution: time, rows, columns."""


class Discriminator(nn.Module):
    """Six 3-D convolutions, each of which halves the frames' size: each score judges a patch of space and time.

    The first five are divided by their largest singular value (spectral norm), so that the scores cannot run away
    from the generator.
    """

    def __init__(self, width: int = 64) -> None:
        """Begin with `width` channels; the widest layers have four times as many."""
        super().__init__()
        widths = (5, width, 2 * width, *(4 * width,) * 4)
        layers = [nn.Conv3d(inputs, outputs, KERNEL, STRIDE, PADDING) for inputs, outputs in pairwise(widths)]
        self.layers = nn.ModuleList([*(spectral_norm(layer) for layer in layers[:-1]), layers[-1]])

    def forward(self, pictures: Tensor, hole: Tensor, guidance: Tensor, clips: int) -> Tensor:
        """Return how real the patches of stacked clips look: near 1 real, near 0 made.

        Args:
            pictures: (N, 3, H, W), N = clips * T, RGB in [0, 1].
            hole: (N, 1, H, W), 1 in the hole.
            guidance: (N, 1, H, W), what the generator was given beside the frames.
            clips: the number of clips.

        Returns:
            Tensor: (clips, C, T, h, w), in (0, 1).
        """
        # Like the generator, it is told what is known, not what is not.
        x = torch.cat((pictures, 1 - hole, guidance), dim=1)
        x = x.reshape(clips, -1, *x.shape[1:]).transpose(1, 2)
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), LEAK)
        return torch.sigmoid(self.layers[-1](x))


def generator_loss(made: Tensor) -> Tensor:
    """Return the generator's least-squares loss: the scores of what it made should be 1."""
    return (made.float() - 1).square().mean()


def discriminator_loss(real: Tensor, made: Tensor) -> Tensor:
    """Return the discriminator's: the scores of real clips should be 1, of made ones 0."""
    return ((real.float() - 1).square().mean() + made.float().square().mean()) / 2
