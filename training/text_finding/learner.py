"""The text network while it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ptfan.training.helpers.learner import HelperLearner
from ptfan.training.helpers.strip import enlarged_strip
from ptfan.training.model.text_network import TextNetwork
from ptfan.training.runs.headline import Headline
from ptfan.training.text_finding.config import TextTrainConfig
from ptfan.training.text_finding.losses import TextBatch, text_losses

__all__ = ["TextLearner"]


class TextLearner(HelperLearner[TextNetwork, TextBatch]):
    """A text network and its loss."""

    config: TextTrainConfig
    headline = Headline("recall", "Share of the text's pixels that are found", "{:.1%} of the text found")

    def stack(self, samples: Mapping[str, Tensor], first: int) -> TextBatch:
        """Return a batch of collated samples on this process's device."""
        return TextBatch.stack(samples, self.fabric.device)

    def measures(self, means: Mapping[str, float]) -> dict[str, float]:
        """Return the losses, the share of text that was found, and of what was taken for it that is text."""
        found = means["found"]
        others = {name: value for name, value in means.items() if name not in ("found", "text", "taken")}
        recall, precision = (found / max(means[name], 1e-9) for name in ("text", "taken"))
        return {**others, "recall": recall, "precision": precision}

    def picture(self) -> Tensor | None:
        """Return the latest step's first picture, where text was found in it, and where it is, side by side."""
        if self._shown is None:
            return None
        batch, score = self._shown
        planes = (score[0].sigmoid(), batch.target[0])
        return enlarged_strip([batch.picture[0], *(plane.expand(3, -1, -1) for plane in planes)])

    def _counted(self, batches: Sequence[TextBatch]) -> Tensor:
        return torch.tensor(float(len(batches)), device=self.fabric.device)

    def _answered(self, batch: TextBatch, counted: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        score = self._called(batch.picture, batch.before)
        return text_losses(score, batch), score
