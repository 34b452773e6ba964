"""The colour completion network while it learns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from ptfan.training.colour_completion.config import ColourTrainConfig
from ptfan.training.colour_completion.losses import ColourBatch, colour_losses
from ptfan.training.helpers.learner import HelperLearner
from ptfan.training.helpers.strip import enlarged_strip
from ptfan.training.model.colour_completer import ColourCompleter
from ptfan.training.runs.headline import Headline

__all__ = ["ColourLearner"]

DECIBELS = 10 / math.log(10)
"""Decibels to one of the natural logarithm of a squared error."""


class ColourLearner(HelperLearner[ColourCompleter, ColourBatch]):
    """A colour completion network and its loss."""

    config: ColourTrainConfig
    headline = Headline("gain", "PSNR in the hole above smooth completion's, dB", "{:+.2f} dB above smooth")

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
        if self._shown is None:
            return None
        batch, answer = self._shown
        return enlarged_strip([pictures[0] for pictures in (batch.picture, answer, batch.target)])

    def _counted(self, batches: Sequence[ColourBatch]) -> Tensor:
        return ColourBatch.pierced(batches)

    def _answered(self, batch: ColourBatch, counted: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        answer = self._called(batch.picture, batch.confidence, batch.hole)
        return colour_losses(answer, batch, counted), answer
