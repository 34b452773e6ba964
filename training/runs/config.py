"""What the settings of every kind of training have in common: frozen dataclasses, one JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

from ptfan.engine.checks import check_numbers
from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.typed_json import from_text

__all__ = ["CONFIGS", "OptimizerConfig", "Precision", "RunConfig", "ScheduleConfig"]

Precision = Literal["fp32", "bf16", "fp16"]
CONFIGS = Path(__file__).parents[1] / "configs"
"""The configurations that come with the package, a JSON file each."""
LARGEST_SEED = (1 << 63) - 1
Config = TypeVar("Config", bound="RunConfig")


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """How the learning rate goes, as a share of its peak."""

    kind: Literal["cosine", "step"] = "cosine"
    """After the warm-up: down to `floor` along a cosine, or multiplied by `decay` every `decay_every` steps."""
    warmup: int = 200
    """Steps of linear rise."""
    floor: float = 0.01
    """Where the cosine ends."""
    decay: float = 0.97
    """The factor of a decay by steps."""
    decay_every: int = 1000
    """Steps from one decay to the next."""

    def __post_init__(self) -> None:
        check_numbers("schedule", self, "warmup")
        check_numbers("schedule", self, "decay_every", least=1)
        check_numbers("schedule", self, "floor", "decay", most=1)


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Adam, for the network and for a discriminator if there is one."""

    learning_rate: float = 1e-3
    """The network's peak learning rate."""
    discriminator_rate: float = 1e-4
    """The discriminator's peak learning rate; both follow the same schedule."""
    weight_decay: float = 1e-4
    """Decoupled weight decay (AdamW); with 0 it is Adam."""
    amsgrad: bool = False
    """Divide by the largest second moment so far."""
    clip_gradient: float = 1.0
    """The largest norm of each network's gradient; 0 leaves it as it is."""

    def __post_init__(self) -> None:
        for name in ("learning_rate", "discriminator_rate"):
            if not 0.0 < getattr(self, name) < float("inf"):
                raise InputError(f"optimizer: {name} is {getattr(self, name)}, expected more than 0")
        check_numbers("optimizer", self, "weight_decay", "clip_gradient")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides the outcome of a run, beside the data and the weights it starts from."""

    command: ClassVar[str]
    """The sub-command that trains by such settings."""
    names: ClassVar[tuple[str, ...]]
    """The configurations of the package that are such settings."""

    steps: int = 10_000
    """Optimiser steps in the whole run."""
    batch: int = 2
    """Clips in a step, over all processes and passes: the same however many GPUs share them."""
    accumulate: int = 1
    """Passes that a step is divided into, for less memory; batch norm sees a pass at a time."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    """By what the losses are lowered."""
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    """How the learning rate goes over the run."""
    average: float = 0.999
    """Decay, per step, of the running average of the weights, which is what is saved for use. It rises to this value: a
    young average would be dominated by the first, random weights. 0 saves the weights themselves."""
    precision: Precision = "fp32"
    """Numbers that the networks compute with where torch's autocast allows: `bf16` (GPUs from Ampere on; slower than
    fp32 on most CPUs), `fp16` (GPUs alone, with loss scaling) or `fp32`."""
    seed: int = 0
    """Seed of the weights and of the samples, 0 to 2^63 - 1."""

    def __post_init__(self) -> None:
        check_numbers("training config", self, "steps", "batch", "accumulate", least=1)
        check_numbers("training config", self, "seed", most=LARGEST_SEED)
        if self.batch % self.accumulate:
            raise InputError(f"training config: batch is {self.batch}, expected a multiple of {self.accumulate} passes")
        if not 0.0 <= self.average < 1.0:
            raise InputError(f"training config: average is {self.average}, expected 0 to below 1")

    def changed(self: Config, *, steps: int | None = None) -> Config:
        """Return the settings with another number of steps, unless that is None.

        Raises:
            InputError: it is out of range.
        """
        return self if steps is None else replace(self, steps=steps)

    def to_json(self) -> str:
        """Return the settings as one JSON object."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls: type[Config], text: str | bytes) -> Config:
        """Read settings that `to_json` wrote; fields left out keep their defaults.

        Raises:
            InputError: not JSON, or a field is unknown, of a wrong type or out of range.
        """
        return from_text(cls, text, "training config")

    @classmethod
    def read(cls: type[Config], source: str | Path) -> Config:
        """Read a configuration of the package by its name, or a JSON file.

        Raises:
            InputNotFoundError: there is neither such a name nor such a file.
            InputError: see `from_json`.
        """
        path = CONFIGS / f"{source}.json" if str(source) in cls.names else Path(source)
        if not path.is_file():
            names = ", ".join(cls.names)
            raise InputNotFoundError(f"training config: {source} is not there; expected a JSON file, or one of {names}")
        return cls.from_json(path.read_bytes())
