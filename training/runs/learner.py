"""A network while it learns: an optimiser step, its state, and the agreement of processes, whatever is learned."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ptfan.engine.errors import DivergenceError
from ptfan.training.runs.average import Average
from ptfan.training.runs.config import RunConfig
from ptfan.training.runs.headline import Headline
from ptfan.training.runs.schedule import rate_factor

__all__ = ["Learner", "mean_measures", "set_rate"]

Network = TypeVar("Network", bound=nn.Module)
Pass = TypeVar("Pass")


class Learner(ABC, Generic[Network, Pass]):
    """A network, its optimiser and the average of its weights.

    Every process of a run holds one, and all of them stay equal. Subclasses know the network, what a pass of a step
    consists of, and what is lowered.
    """

    part: ClassVar[str]
    """What the network is called in a run's state."""
    headline: ClassVar[Headline]
    """The measure that tells how good it is."""

    def __init__(self, config: RunConfig, fabric: Fabric, network: Network, called: nn.Module | None = None) -> None:
        """Set up what learns.

        Args:
            config: the settings.
            fabric: where to compute.
            network: with the weights to start from.
            called: a module round the network that is called in its place: what is shared between processes has to be
                called as a module.
        """
        self.fabric = fabric
        self.config = config
        self.network = network
        self.optimizer: Any
        self._called, self.optimizer = fabric.setup(called or network, self._new_optimizer())
        self.average = Average(network, config.average)

    @abstractmethod
    def stack(self, samples: Mapping[str, Tensor], first: int) -> Pass:
        """Return what one pass computes on, on this process's device.

        Args:
            samples: collated: (clips, T, C, H, W) each, by name.
            first: the first clip's number in the run's sequence of samples.
        """

    @abstractmethod
    def measures(self, means: Mapping[str, float]) -> dict[str, float]:
        """Return what the log tells, of the means of what `step` returned."""

    @abstractmethod
    def picture(self) -> Tensor | None:
        """Return a picture (3, H, W) in [0, 1] of what the latest step was given and made of it; None before it."""

    @abstractmethod
    def save(self, path: Path, record: Mapping[str, Any]) -> None:
        """Write the average as a checkpoint, over one that is there."""

    @abstractmethod
    def _backward(self, batches: Sequence[Pass], step: int) -> dict[str, Tensor]:
        """Gather the gradient of all passes of a step; return its measures, means over the passes."""

    def step(
        self, batches: Sequence[Pass], step: int, *, stop: Callable[[], bool] = lambda: False
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
        values = self._backward(batches, step)
        norm = self._clipped()
        values |= {"gradient": norm, "stop": torch.tensor(float(stop()), device=norm.device)}
        told = self._told(values, step)
        self.optimizer.step()
        told |= self._finish(batches, step)
        self.average.update(self.network, step + 1)
        stopping = told.pop("stop") > 0 or (self.fabric.world_size == 1 and stop())
        return told, stopping

    def rate(self, step: int) -> float:
        """Return the network's learning rate in step `step`."""
        return self.config.optimizer.learning_rate * self._factor(step)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on as if nothing had happened."""
        return {
            self.part: self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.fabric.strategy.precision.state_dict(),
            "random": torch.get_rng_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.network.load_state_dict(state[self.part])
        self.average.network.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.fabric.strategy.precision.load_state_dict(state["scaler"])
        torch.set_rng_state(state["random"].cpu())

    def check_finite(self, step: int) -> None:
        """Check the weights before they are saved.

        Raises:
            DivergenceError: one is not finite.
        """
        for name, value in self.network.state_dict().items():
            if not bool(torch.isfinite(value).all()):
                raise _diverged(f"weight {name}", math.nan, step)

    def _new_optimizer(self) -> torch.optim.Optimizer:
        settings = self.config.optimizer
        return torch.optim.AdamW(
            self.network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            amsgrad=settings.amsgrad,
        )

    def _prepare(self, step: int) -> None:
        """Set modes and rates, and forget the last step's gradient."""
        self._called.train()
        set_rate(self.optimizer, self.rate(step))
        self.optimizer.zero_grad(set_to_none=True)

    def _finish(self, batches: Sequence[Pass], step: int) -> dict[str, float]:
        """Do what else belongs to a step once the weights have taken it; return further measures."""
        return {}

    def _factor(self, step: int) -> float:
        return rate_factor(self.config.schedule, step, self.config.steps)

    def _clipped(self) -> Tensor:
        """Clip the gradient; return its norm from before."""
        norm = self.fabric.clip_gradients(
            self._called,
            self.optimizer,
            max_norm=self.config.optimizer.clip_gradient or math.inf,
            error_if_nonfinite=False,
        )
        assert norm is not None
        return norm

    def _told(self, values: Mapping[str, Tensor], step: int) -> dict[str, float]:
        """Return values as numbers, means over processes, and check that they are finite; all are fetched in one go."""
        stacked = self._mean(torch.stack([value.float() for value in values.values()]))
        told = dict(zip(values, stacked.tolist(), strict=True))
        if self.config.precision == "fp16" and "gradient" in told:
            # Loss scaling meets gradients that are not finite as a matter of course, and leaves such a step out.
            skipped = not math.isfinite(told["gradient"])
            told |= {"skipped": float(skipped), "gradient": 0.0 if skipped else told["gradient"]}
        for name, value in told.items():
            if not math.isfinite(value):
                raise _diverged(name, value, step + 1)
        return told

    def _mean(self, values: Tensor) -> Tensor:
        """Average over processes."""
        if self.fabric.world_size == 1:
            return values
        shared = self.fabric.all_reduce(values, reduce_op="mean")
        assert isinstance(shared, Tensor)
        return shared


def mean_measures(passes: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the means over the passes of a step, without gradients."""
    return {name: torch.stack([values[name].detach() for values in passes]).mean() for name in passes[0]}


def set_rate(optimizer: Any, rate: float) -> None:
    """Set the learning rate of all of an optimiser's weights."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def _diverged(name: str, value: float, step: int) -> DivergenceError:
    return DivergenceError(
        f"training: {name} is {value} in step {step}, expected a finite number; what was saved before is kept: begin a "
        "new run with a lower learning rate, or in fp32, --from the checkpoint if there is one"
    )
