"""The colour completion network while it learns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor

from ptfan.training.colour_completion.config import ColourTrainConfig
from ptfan.training.colour_completion.losses import ColourBatch, colour_losses
from ptfan.training.model.colour_completer import ColourCompleter
from ptfan.training.runs.completer_learner import CompleterLearner
from ptfan.training.runs.headline import Headline

__all__ = ["ColourLearner"]

DECIBELS = 10 / math.log(10)
"""Decibels to one of the natural logarithm of a squared error."""
ENLARGED = 4
"""Pixels of the run's picture to one of the network's, along each axis."""


class ColourLearner(CompleterLearner[ColourCompleter, ColourBatch]):
    """A colour completion network and its loss."""

    config: ColourTrainConfig
    headline = Headline("gain", "PSNR in the hole above smooth completion's, dB", "{:+.2f} dB above smooth")

    def __init__(
        self, config: ColourTrainConfig, fabric: Fabric, *, weights: Mapping[str, Tensor] | None = None
    ) -> None:
        """Build everything fresh.

        Args:
            config: the settings.
            fabric: where to compute.
            weights: to start from; random ones, drawn from the settings' seed, without.
        """
        torch.manual_seed(config.seed)
        super().__init__(config, fabric, ColourCompleter(config.network), weights)

    def stack(self, samples: Mapping[str, Tensor], first: int) -> ColourBatch:
        """Return a batch of collated samples on this process's device."""
        return ColourBatch.stack(samples, self.fabric.device)

    def measures(self, means: Mapping[str, float]) -> dict[str, float]:
        """Return the loss, the errors that the two logarithms stand for, and by how many decibels ours is smaller."""
        ours, smooth = means["loss"], means["smooth_loss"]
        others = {name: value for name, value in means.items() if name != "smooth_loss"}
        errors = {"error": math.exp(ours / 2), "smooth_error": math.exp(smooth / 2)}
        return {**others, **errors, "gain": DECIBELS * (smooth - ours)}

    def picture(self) -> Tensor | None:
        """Return smoothly completed, completed and true colours of the latest step's first picture, side by side."""
        return None if self._shown is None else _strip(*self._shown)

    def _counted(self, batches: Sequence[ColourBatch]) -> Tensor:
        return ColourBatch.pierced(batches)

    def _answered(self, batch: ColourBatch, counted: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        answer = self._called(batch.picture, batch.confidence, batch.hole)
        return colour_losses(answer, batch, counted), answer


def _strip(batch: ColourBatch, answer: Tensor) -> Tensor:
    """Return (3, ENLARGED h, 3 ENLARGED w) in [0, 1]."""
    row = torch.cat([pictures[0].float().cpu() for pictures in (batch.picture, answer, batch.target)], dim=2)
    large = row.repeat_interleave(ENLARGED, dim=1).repeat_interleave(ENLARGED, dim=2)
    return large.clamp(0.0, 1.0)
