"""A helper network while it learns: what all of them have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lightning_fabric import Fabric
from torch import Tensor

from ptfan.training.checkpoint import save_helper
from ptfan.training.model.helpers import Helper
from ptfan.training.runs.config import RunConfig
from ptfan.training.runs.learner import Learner, Pass, mean_measures

__all__ = ["HelperLearner"]

Network = TypeVar("Network", bound=Helper)


class HelperLearner(Learner[Network, Pass]):
    """A helper network and its loss, which is a mean over all passes and processes of a step."""

    part = "helper"

    def __init__(self, config: RunConfig, fabric: Fabric, network: Network) -> None:
        """Set up what learns.

        Args:
            config: the settings.
            fabric: where to compute.
            network: with the weights to start from.
        """
        super().__init__(config, fabric, network)
        self._shown: tuple[Pass, Tensor] | None = None

    def save(self, path: Path, record: Mapping[str, Any]) -> None:
        """Write the average as a checkpoint, over one that is there."""
        save_helper(path, self.average.network, record, overwrite=True)

    @abstractmethod
    def _counted(self, batches: Sequence[Pass]) -> Tensor:
        """Return how many pixels or pictures of a pass count, a scalar, mean over the passes: the losses' divisor."""

    @abstractmethod
    def _answered(self, batch: Pass, counted: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the losses and measures of a pass, and the network's answer."""

    def _backward(self, batches: Sequence[Pass], step: int) -> dict[str, Tensor]:
        counted = self._mean(self._counted(batches))
        passes = []
        for place, batch in enumerate(batches):
            with self.fabric.no_backward_sync(self._called, enabled=place < len(batches) - 1):
                values, answer = self._answered(batch, counted)
                self.fabric.backward(values["loss"] / len(batches))
            passes.append(values)
            self._shown = (batch, answer.detach())
        return mean_measures(passes)
