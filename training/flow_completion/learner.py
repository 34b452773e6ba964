"""The flow completion network while it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from ptfan.training.checkpoint import save_completer
from ptfan.training.flow_completion.config import FlowTrainConfig
from ptfan.training.flow_completion.losses import FlowBatch, flow_losses
from ptfan.training.flow_completion.picture import flow_strip
from ptfan.training.headline import Headline
from ptfan.training.learning import Learning, mean_measures
from ptfan.training.model.flow_completer import FlowCompleter

__all__ = ["FlowLearner"]


class FlowLearner(Learning[FlowCompleter, FlowBatch]):
    """A flow completion network and its loss."""

    config: FlowTrainConfig
    part = "completer"
    headline = Headline("ratio", "error in the hole / smooth completion's", "{:.3f} of the smooth error")

    def __init__(self, config: FlowTrainConfig, fabric: Fabric, *, weights: Mapping[str, Tensor] | None = None) -> None:
        """Build everything fresh.

        Args:
            config: the settings.
            fabric: where to compute.
            weights: to start from; random ones, drawn from the settings' seed, without.
        """
        torch.manual_seed(config.seed)
        network = FlowCompleter(config.network)
        if weights is not None:
            network.load_state_dict(dict(weights))
        super().__init__(config, fabric, network)
        self._shown: tuple[FlowBatch, Tensor] | None = None

    def stack(self, samples: Mapping[str, Tensor], first: int) -> FlowBatch:
        """Return a batch of collated samples on this process's device."""
        return FlowBatch.stack(samples, first, self.fabric.device)

    def measures(self, means: Mapping[str, float]) -> dict[str, float]:
        """Return the losses, and the error as a share of smooth completion's."""
        return {**means, "ratio": means["error"] / max(means["smooth_error"], 1e-6)}

    def picture(self) -> Tensor | None:
        """Return smooth, completed and true flow of the latest step's first clip; see `flow_strip`."""
        return None if self._shown is None else flow_strip(*self._shown)

    def save(self, path: Path, record: Mapping[str, Any]) -> None:
        """Write the average as a checkpoint, over one that is there."""
        save_completer(path, self.average.network, record, overwrite=True)

    def _backward(self, batches: Sequence[FlowBatch], step: int) -> dict[str, Tensor]:
        unknown = self._mean(FlowBatch.unknown(batches))
        passes = []
        for place, batch in enumerate(batches):
            with self.fabric.no_backward_sync(self._called, enabled=place < len(batches) - 1):
                answer = self._called(batch.flow, batch.known, clips=batch.clips)
                values = flow_losses(answer, batch, unknown, spread=self.config.spread)
                self.fabric.backward(values["loss"] / len(batches))
            passes.append(values)
            self._shown = (batch, answer.flow.detach())
        return mean_measures(passes)
