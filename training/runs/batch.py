"""What one pass computes on: clips stacked along the first axis, and which samples of the run they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Sampler

from ptfan.engine.errors import InputError
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.runs.config import RunConfig

__all__ = ["Batch", "StepSampler"]


@dataclass(frozen=True)
class Batch:
    """Clips of T frames, stacked: N = clips * T."""

    inputs: dict[str, Tensor]
    """The clip graph's inputs by name, each (N, C, H, W)."""
    target: Tensor
    """The complete frames, (N, 3, H, W), RGB in [0, 1]."""
    clips: int
    """How many clips."""
    first: int
    """The first clip's number in the run's sequence of samples; the others follow it."""

    @property
    def hole(self) -> Tensor:
        """1 in the hole, else 0, (N, 1, H, W)."""
        return self.inputs["hole"]

    @property
    def frames(self) -> int:
        """T."""
        return len(self.target) // self.clips

    @classmethod
    def stack(cls, samples: Mapping[str, Tensor], first: int, device: torch.device) -> Batch:
        """Stack collated samples (clips, T, C, H, W) and bring them to a device."""
        stacked = {name: samples[name].flatten(0, 1).to(device, non_blocking=True) for name in (*CLIP_INPUTS, "target")}
        target = stacked.pop("target")
        return cls(stacked, target, len(samples["target"]), first)


class StepSampler(Sampler[list[int]]):
    """The numbers of the samples of each pass, for one of several processes.

    Sample number n belongs to step n // batch, whoever computes it: runs with other numbers of processes or passes see
    the same samples in the same steps, and a resumed run goes on with the very next one.
    """

    def __init__(self, config: RunConfig, first_step: int = 0, *, rank: int = 0, world: int = 1) -> None:
        """Begin at `first_step`, for process `rank` of `world`.

        Raises:
            InputError: the batch cannot be shared equally.
        """
        parts = world * config.accumulate
        if config.batch % parts:
            raise InputError(
                f"training: a batch of {config.batch} cannot be shared by {world} processes in {config.accumulate} "
                f"passes; expected a multiple of {parts}"
            )
        self.size = config.batch // parts
        self._steps, self._first_step = config.steps, first_step
        self._passes, self._rank, self._world = config.accumulate, rank, world

    def first(self, step: int, number: int) -> int:
        """Return the first sample of pass `number` of a step."""
        return ((step * self._passes + number) * self._world + self._rank) * self.size

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self._first_step, self._steps):
            for number in range(self._passes):
                first = self.first(step, number)
                yield list(range(first, first + self.size))

    def __len__(self) -> int:
        return max(0, self._steps - self._first_step) * self._passes
