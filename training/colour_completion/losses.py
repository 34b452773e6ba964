"""What the training of colour completion lowers: how far the colours in the holes are off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["ColourBatch", "colour_losses"]

NOISE = 2e-4
"""Added to a mean squared error, so that a picture which is nearly right does not count for more than others."""


@dataclass(frozen=True)
class ColourBatch:
    """N pictures at a quarter of their size."""

    picture: Tensor
    """(N, 3, h, w), RGB, filled and smoothly completed."""
    confidence: Tensor
    """(N, 1, h, w)."""
    hole: Tensor
    """(N, 1, h, w), the share of each pixel that is hole."""
    target: Tensor
    """(N, 3, h, w), what was there."""

    @classmethod
    def stack(cls, samples: Mapping[str, Tensor], device: torch.device) -> ColourBatch:
        """Stack collated samples (clips, T, C, h, w) and bring them to a device."""
        names = ("picture", "confidence", "hole", "target")
        return cls(*(samples[name].flatten(0, 1).to(device, non_blocking=True) for name in names))

    @staticmethod
    def pierced(batches: Sequence[ColourBatch]) -> Tensor:
        """Return how many pictures of a pass have a hole, a scalar: the mean over the passes."""
        return torch.stack([_has_hole(batch).sum() for batch in batches]).mean()


def colour_losses(answer: Tensor, batch: ColourBatch, pierced: Tensor) -> dict[str, Tensor]:
    """Return the loss and the measures beside it, means over the pictures that have a hole.

    Args:
        answer: (N, 3, h, w), the network's.
        batch: what it was asked, and the truth.
        pierced: pictures that the means are over, see `ColourBatch.pierced`.

    Returns:
        `loss`: the logarithm of the mean squared error in the hole, so that a picture which is hard to complete counts
        for no more than an easy one; `smooth_loss`: that of the smooth completion.
    """
    size = batch.hole.sum(dim=(1, 2, 3))
    there = _has_hole(batch)

    def mean_logarithm(picture: Tensor) -> Tensor:
        squares = ((picture.float() - batch.target).square().mean(dim=1, keepdim=True) * batch.hole).sum(dim=(1, 2, 3))
        logarithms = (squares / size.clamp(min=1e-3) + NOISE).log()
        return (logarithms * there).sum() / pierced.clamp(min=1e-6)  # a mean may be less than 1

    return {"loss": mean_logarithm(answer), "smooth_loss": mean_logarithm(batch.picture)}


def _has_hole(batch: ColourBatch) -> Tensor:
    """Return 1 for each picture with a hole and 0 for the others, (N,)."""
    return (batch.hole.sum(dim=(1, 2, 3)) > 0).float()
