"""The discriminator as an opponent: its weights, its optimiser, and its side of a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from ptfan.training.generator.config import TrainConfig
from ptfan.training.generator.discriminator import Discriminator, discriminator_loss, generator_loss
from ptfan.training.runs.batch import Batch

__all__ = ["Adversary"]


class Adversary:
    """Judges the generator's pictures, and learns to judge better after each of its steps."""

    def __init__(self, config: TrainConfig, fabric: Fabric) -> None:
        """Build a fresh discriminator."""
        self._fabric, self._clip = fabric, config.optimizer.clip_gradient
        self.discriminator = Discriminator(config.losses.discriminator_width)
        self.optimizer: Any
        optimizer = torch.optim.AdamW(
            self.discriminator.parameters(),
            lr=config.optimizer.discriminator_rate,
            weight_decay=config.optimizer.weight_decay,
            amsgrad=config.optimizer.amsgrad,
        )
        self._network, self.optimizer = fabric.setup(self.discriminator, optimizer)

    def loss(self, pictures: Tensor, batch: Batch) -> Tensor:
        """Return the generator's loss on pictures (N, 3, H, W); the discriminator takes nothing from it."""
        self.discriminator.requires_grad_(False).eval()
        with self._fabric.autocast():
            scores = self.discriminator(pictures, batch.hole, batch.inputs["guidance"], batch.clips)
        return generator_loss(scores)

    def backward(self, made: Sequence[Tensor], batches: Sequence[Batch]) -> Tensor:
        """Learn from what the generator made in each pass of a step, (N, 3, H, W) each; return the mean loss."""
        self.discriminator.requires_grad_(True).train()
        self.optimizer.zero_grad(set_to_none=True)
        losses = []
        for place, (pictures, batch) in enumerate(zip(made, batches, strict=True)):
            with self._fabric.no_backward_sync(self._network, enabled=place < len(batches) - 1):
                loss = self._loss(pictures, batch)
                self._fabric.backward(loss / len(batches))
            losses.append(loss.detach())
        return torch.stack(losses).mean()

    def step(self) -> None:
        """Take what was learned into the weights."""
        if self._clip:
            self._fabric.clip_gradients(self._network, self.optimizer, max_norm=self._clip, error_if_nonfinite=False)
        self.optimizer.step()

    def _loss(self, made: Tensor, batch: Batch) -> Tensor:
        # One pass for both: gradients are exchanged between processes after one pass, not between two.
        pictures = torch.cat((batch.target, made))
        hole, guidance = batch.hole.repeat(2, 1, 1, 1), batch.inputs["guidance"].repeat(2, 1, 1, 1)
        real, false = self._network(pictures, hole, guidance, 2 * batch.clips).chunk(2)
        return discriminator_loss(real, false)

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on."""
        return {"discriminator": self.discriminator.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])
