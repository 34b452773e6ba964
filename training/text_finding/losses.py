"""What the training of text finding lowers: pixels of text that are missed, and others that are taken for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["TextBatch", "text_losses"]

MISSED = 2.0
"""What a pixel of text counts for one of the picture: what is missed stays in the video, what is too much is filled."""
OVERLAP = 0.3
"""The weight of the overlap, which counts all pixels of the batch together: text is rare."""


@dataclass(frozen=True)
class TextBatch:
    """N pictures with their predecessors."""

    picture: Tensor
    """(N, 3, h, w), RGB in [0, 1]."""
    before: Tensor
    """(N, 3, h, w), the same place in the frame before."""
    target: Tensor
    """(N, 1, h, w), 1 where text is."""

    @classmethod
    def stack(cls, samples: Mapping[str, Tensor], device: torch.device) -> TextBatch:
        """Bring collated samples to a device."""
        return cls(*(samples[name].to(device, non_blocking=True) for name in ("picture", "before", "target")))


def text_losses(score: Tensor, batch: TextBatch) -> dict[str, Tensor]:
    """Return the loss and the measures beside it.

    Args:
        score: (N, 1, h, w), the network's.
        batch: what it was asked, and the truth.

    Returns:
        `loss`, and what it adds up from: `entropy`, the cross-entropy, and `apart`, one minus the overlap (the Dice
        coefficient). And shares of all pixels: `found`, text that was found, `text`, all of it, and `taken`, all
        that was taken for text.
    """
    score, target = score.float(), batch.target
    weight = torch.full((), MISSED, device=score.device)
    entropy = F.binary_cross_entropy_with_logits(score, target, pos_weight=weight)
    likely = score.sigmoid()
    overlap = (2 * (likely * target).sum() + 1) / (likely.sum() + target.sum() + 1)
    taken = (score > 0).float()
    return {
        "loss": entropy + OVERLAP * (1 - overlap),
        "entropy": entropy.detach(),
        "apart": OVERLAP * (1 - overlap).detach(),
        "found": (taken * target).mean().detach(),
        "text": target.mean(),
        "taken": taken.mean(),
    }
