"""The flow completion network while it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from ptfan.training.flow_completion.config import FlowTrainConfig
from ptfan.training.flow_completion.losses import FlowBatch, flow_losses
from ptfan.training.flow_completion.picture import flow_strip
from ptfan.training.helpers.learner import HelperLearner
from ptfan.training.model.flow_completer import FlowCompleter
from ptfan.training.runs.headline import Headline

__all__ = ["FlowLearner"]


class FlowLearner(HelperLearner[FlowCompleter, FlowBatch]):
    """A flow completion network and its loss."""

    config: FlowTrainConfig
    headline = Headline("ratio", "error in the hole / smooth completion's", "{:.3f} of the smooth error")

    def stack(self, samples: Mapping[str, Tensor], first: int) -> FlowBatch:
        """Return a batch of collated samples on this process's device."""
        return FlowBatch.stack(samples, first, self.fabric.device)

    def measures(self, means: Mapping[str, float]) -> dict[str, float]:
        """Return the losses, and the error as a share of smooth completion's."""
        return {**means, "ratio": means["error"] / max(means["smooth_error"], 1e-6)}

    def picture(self) -> Tensor | None:
        """Return smooth, completed and true flow of the latest step's first clip; see `flow_strip`."""
        return None if self._shown is None else flow_strip(*self._shown)

    def _counted(self, batches: Sequence[FlowBatch]) -> Tensor:
        return FlowBatch.unknown(batches)

    def _answered(self, batch: FlowBatch, counted: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        answer = self._called(batch.flow, batch.known, clips=batch.clips)
        return flow_losses(answer, batch, counted, spread=self.config.spread), answer.flow
