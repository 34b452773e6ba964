"""The generator while it learns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.checkpoint import save_checkpoint
from ptfan.training.features import FeatureNetwork
from ptfan.training.generator.adversary import Adversary
from ptfan.training.generator.config import TrainConfig
from ptfan.training.generator.losses import Counts, Losses, hole_measures, seen
from ptfan.training.generator.perceptual import PerceptualLoss
from ptfan.training.model.config import GeneratorConfig
from ptfan.training.model.decoder import Parts
from ptfan.training.model.generator import Generator
from ptfan.training.runs.batch import Batch
from ptfan.training.runs.board import picture_strip
from ptfan.training.runs.headline import Headline
from ptfan.training.runs.learner import Learner, mean_measures, set_rate

__all__ = ["GeneratorLearner"]


class _Answering(nn.Module):
    """The generator, called for its answer in parts: what is shared between processes has to be called as a module."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, inputs: Mapping[str, Tensor], clips: int) -> Parts:
        return self.generator.forward_parts(*(inputs[name] for name in CLIP_INPUTS), clips=clips)


class GeneratorLearner(Learner[Generator, Batch]):
    """A generator, its losses, and its adversary if there is one."""

    part = "generator"
    config: TrainConfig
    headline = Headline("hole_psnr", "PSNR in the hole, dB", "{:.2f} dB in the hole")

    def __init__(
        self,
        config: TrainConfig,
        architecture: GeneratorConfig,
        fabric: Fabric,
        *,
        backbone: FeatureNetwork | None = None,
        weights: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Build everything fresh.

        Args:
            config: the settings.
            architecture: the generator's.
            fabric: where to compute.
            backbone: the feature network, where the losses need one.
            weights: the generator's weights to start from; random ones, drawn from the settings' seed, without.
        """
        torch.manual_seed(config.seed)
        generator = Generator(architecture)
        if weights is not None:
            generator.load_state_dict(dict(weights))
        super().__init__(config, fabric, generator, _Answering(generator))
        self.adversary = Adversary(config, fabric) if config.losses.adversarial else None
        perceptual = None if backbone is None else PerceptualLoss(config.losses, backbone.to(fabric.device))
        self._losses = Losses(config.losses, perceptual)
        self._made: list[Tensor] = []
        self._shown: tuple[Batch, Tensor] | None = None

    def stack(self, samples: Mapping[str, Tensor], first: int) -> Batch:
        """Return a batch of collated samples on this process's device."""
        return Batch.stack(samples, first, self.fabric.device)

    def measures(self, means: Mapping[str, float]) -> dict[str, float]:
        """Return the losses, and PSNR in the hole for the squared error."""
        told = dict(means)
        return told | {"hole_psnr": -10.0 * math.log10(max(told.pop("hole_mse"), 1e-10))}

    def picture(self) -> Tensor | None:
        """Return hole, fill and truth of the latest step's first clip, side by side; see `picture_strip`."""
        return None if self._shown is None else picture_strip(*self._shown)

    def save(self, path: Path, record: Mapping[str, Any]) -> None:
        """Write the average as a checkpoint, over one that is there."""
        save_checkpoint(path, self.average.network, record, overwrite=True)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on as if nothing had happened."""
        return super().state_dict() | {"adversary": None if self.adversary is None else self.adversary.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        super().load_state_dict(state)
        if self.adversary is not None:
            self.adversary.load_state_dict(state["adversary"])

    def _prepare(self, step: int) -> None:
        super()._prepare(step)
        if self._norm_is_frozen(step):
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        if self.adversary is not None:
            set_rate(self.adversary.optimizer, self.config.optimizer.discriminator_rate * self._factor(step))

    def _backward(self, batches: Sequence[Batch], step: int) -> dict[str, Tensor]:
        """Gather the gradient of all passes; keep what the adversary is to judge."""
        counts = Counts.of(batches, self._mean)
        passes, self._made = [], []
        judge = None if self.adversary is None else self.adversary.loss
        for place, batch in enumerate(batches):
            with self.fabric.no_backward_sync(self._called, enabled=place < len(batches) - 1):
                parts = self._called(batch.inputs, batch.clips)
                with self.fabric.autocast():
                    losses = self._losses(parts, batch, counts, step, judge)
                total = torch.stack(list(losses.values())).sum()
                self.fabric.backward(total / len(batches))
            passes.append({"loss": total, **losses, **hole_measures(parts, batch, counts)})
            if judge is not None:
                self._made.append(seen(parts, batch, self.config.losses).detach())
            self._shown = (batch, parts.fill.detach())
        return mean_measures(passes)

    def _finish(self, batches: Sequence[Batch], step: int) -> dict[str, float]:
        """Let the adversary learn from what was made; share batch norm's statistics."""
        told = {}
        if self.adversary is not None:
            loss = self.adversary.backward(self._made, batches)
            told = self._told({"discriminator": loss}, step)
            self.adversary.step()
        self._share_statistics(step)
        return told

    def _norm_is_frozen(self, step: int) -> bool:
        return step >= self.config.freeze_norm_after * self.config.steps

    @torch.no_grad()
    def _share_statistics(self, step: int) -> None:
        """Average batch norm's running statistics over processes, each of which saw other clips."""
        if self.fabric.world_size == 1 or self._norm_is_frozen(step):
            return
        buffers = [value for value in self.network.buffers() if value.is_floating_point()]
        shared = self._mean(torch.cat([value.flatten() for value in buffers]))
        for value, part in zip(buffers, torch.split(shared, [value.numel() for value in buffers]), strict=True):
            value.copy_(part.view_as(value))
