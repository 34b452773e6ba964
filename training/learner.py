"""The generator while it learns: one optimiser step on the clips of a step, with all that belongs to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ptfan.engine.errors import DivergenceError
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.adversary import Adversary
from ptfan.training.average import Average
from ptfan.training.batch import Batch
from ptfan.training.config import TrainConfig
from ptfan.training.features import FeatureNetwork
from ptfan.training.losses import Counts, Losses, hole_measures, seen
from ptfan.training.model.config import GeneratorConfig
from ptfan.training.model.decoder import Parts
from ptfan.training.model.generator import Generator
from ptfan.training.perceptual import PerceptualLoss
from ptfan.training.schedule import rate_factor

__all__ = ["Learner"]


class _Answering(nn.Module):
    """The generator, called for its answer in parts: what is shared between processes has to be called as a module."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, inputs: Mapping[str, Tensor], clips: int) -> Parts:
        return self.generator.forward_parts(*(inputs[name] for name in CLIP_INPUTS), clips=clips)


class Learner:
    """Networks, optimisers and losses; every process of a run holds one, and all of them stay equal."""

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
        self.config, self.fabric = config, fabric
        torch.manual_seed(config.seed)
        self.generator = Generator(architecture)
        if weights is not None:
            self.generator.load_state_dict(dict(weights))
        self.optimizer: Any
        self._network, self.optimizer = fabric.setup(_Answering(self.generator), self._new_optimizer())
        self.average = Average(self.generator, config.average)
        self.adversary = Adversary(config, fabric) if config.losses.adversarial else None
        perceptual = None if backbone is None else PerceptualLoss(config.losses, backbone.to(fabric.device))
        self._losses = Losses(config.losses, perceptual)
        self.shown: tuple[Batch, Tensor] | None = None
        """A batch of the latest step and the fill (N, 3, H, W) that it was answered with."""

    def step(
        self, batches: Sequence[Batch], step: int, *, stop: Callable[[], bool] = lambda: False
    ) -> tuple[dict[str, float], bool]:
        """Learn from the passes of step `step` (from 0).

        Args:
            batches: the passes.
            step: its number.
            stop: whether this process is asked to stop.

        Returns:
            The losses and other measures of the step by name, means over passes and processes; and whether the
            processes are to stop, on which they agree.

        Raises:
            DivergenceError: a loss or the gradient is not finite; the weights have not taken the step.
        """
        self._prepare(step)
        counts = Counts.of(batches, self._mean)
        values, made = self._backward(batches, counts, step)
        norm = self._clipped()
        values |= {"gradient": norm, "stop": torch.tensor(float(stop()), device=norm.device)}
        told = self._told(values, step)
        self.optimizer.step()
        if self.adversary is not None:
            loss = self.adversary.backward(made, batches)
            told |= self._told({"discriminator": loss}, step)
            self.adversary.step()
        self._share_statistics(step)
        self.average.update(self.generator, step + 1)
        stopping = told.pop("stop") > 0 or (self.fabric.world_size == 1 and stop())
        return told, stopping

    def rate(self, step: int) -> float:
        """Return the generator's learning rate in step `step`."""
        return self.config.optimizer.learning_rate * rate_factor(self.config.schedule, step, self.config.steps)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on as if nothing had happened."""
        return {
            "generator": self.generator.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "adversary": None if self.adversary is None else self.adversary.state_dict(),
            "scaler": self.fabric.strategy.precision.state_dict(),
            "random": torch.get_rng_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.generator.load_state_dict(state["generator"])
        self.average.network.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.adversary is not None:
            self.adversary.load_state_dict(state["adversary"])
        self.fabric.strategy.precision.load_state_dict(state["scaler"])
        torch.set_rng_state(state["random"].cpu())

    def check_finite(self, step: int) -> None:
        """Check the weights before they are saved.

        Raises:
            DivergenceError: one is not finite.
        """
        for name, value in self.generator.state_dict().items():
            if not bool(torch.isfinite(value).all()):
                raise _diverged(f"weight {name}", math.nan, step)

    def _new_optimizer(self) -> torch.optim.Optimizer:
        settings = self.config.optimizer
        return torch.optim.AdamW(
            self.generator.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            amsgrad=settings.amsgrad,
        )

    def _prepare(self, step: int) -> None:
        """Set modes and rates."""
        self._network.train()
        if self._norm_is_frozen(step):
            for module in self.generator.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        factor = rate_factor(self.config.schedule, step, self.config.steps)
        _set_rate(self.optimizer, self.config.optimizer.learning_rate * factor)
        if self.adversary is not None:
            _set_rate(self.adversary.optimizer, self.config.optimizer.discriminator_rate * factor)

    def _backward(self, batches: Sequence[Batch], counts: Counts, step: int) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Gather the gradient of all passes; return the measures, and what the adversary is to judge."""
        self.optimizer.zero_grad(set_to_none=True)
        passes, made = [], []
        judge = None if self.adversary is None else self.adversary.loss
        for place, batch in enumerate(batches):
            with self.fabric.no_backward_sync(self._network, enabled=place < len(batches) - 1):
                parts = self._network(batch.inputs, batch.clips)
                with self.fabric.autocast():
                    losses = self._losses(parts, batch, counts, step, judge)
                total = torch.stack(list(losses.values())).sum()
                self.fabric.backward(total / len(batches))
            passes.append({"loss": total, **losses, **hole_measures(parts, batch, counts)})
            if judge is not None:
                made.append(seen(parts, batch, self.config.losses).detach())
            self.shown = (batch, parts.fill.detach())
        return {name: torch.stack([values[name].detach() for values in passes]).mean() for name in passes[0]}, made

    def _clipped(self) -> Tensor:
        """Clip the gradient; return its norm from before."""
        norm = self.fabric.clip_gradients(
            self._network,
            self.optimizer,
            max_norm=self.config.optimizer.clip_gradient or math.inf,
            error_if_nonfinite=False,
        )
        assert norm is not None
        return norm

    def _told(self, values: Mapping[str, Tensor], step: int) -> dict[str, float]:
        """Average over processes and bring to the CPU, in one go; check."""
        stacked = self._mean(torch.stack([value.float() for value in values.values()]))
        told = dict(zip(values, stacked.tolist(), strict=True))
        if self.config.precision == "fp16" and "gradient" in told:
            # Loss scaling meets gradients that are not finite as a matter of course, and leaves such a step out.
            told["skipped"] = float(not math.isfinite(told["gradient"]))
            told["gradient"] *= 1.0 - told["skipped"] if not told["skipped"] else 0.0
        for name, value in told.items():
            if not math.isfinite(value):
                raise _diverged(name, value, step + 1)
        return told

    def _mean(self, values: Tensor) -> Tensor:
        if self.fabric.world_size == 1:
            return values
        shared = self.fabric.all_reduce(values, reduce_op="mean")
        assert isinstance(shared, Tensor)
        return shared

    def _norm_is_frozen(self, step: int) -> bool:
        return step >= self.config.freeze_norm_after * self.config.steps

    @torch.no_grad()
    def _share_statistics(self, step: int) -> None:
        """Average batch norm's running statistics over processes, each of which saw other clips."""
        if self.fabric.world_size == 1 or self._norm_is_frozen(step):
            return
        buffers = [value for value in self.generator.buffers() if value.is_floating_point()]
        shared = self._mean(torch.cat([value.flatten() for value in buffers]))
        for value, part in zip(buffers, torch.split(shared, [value.numel() for value in buffers]), strict=True):
            value.copy_(part.view_as(value))


def _set_rate(optimizer: Any, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _diverged(name: str, value: float, step: int) -> DivergenceError:
    return DivergenceError(
        f"training: {name} is {value} in step {step}, expected a finite number; the state saved before is kept: "
        "begin a new run --from its checkpoint with a lower learning rate, or in fp32"
    )
