"""The settings of a training run: one frozen dataclass, one JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ptfan.engine.errors import InputError, InputNotFoundError

__all__ = ["TrainConfig"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that decides the outcome of a run, beside the data."""

    preset: str = "s"
    """The generator's preset."""
    steps: int = 10_000
    """Optimiser steps in the whole run."""
    batch: int = 2
    """Clips in a step."""
    frames: int = 7
    """Frames in a clip."""
    size: tuple[int, int] = (192, 128)
    """(width, height) of a training clip in pixels; multiples of 8."""
    learning_rate: float = 1e-3
    """The peak learning rate; it rises for `warmup` steps, then falls to 1 % along a cosine."""
    warmup: int = 200
    """Steps of linear rise."""
    clip_gradient: float = 1.0
    """The largest norm of the gradient."""
    average: float = 0.999
    """Decay, per step, of the running average of the weights; the average is what is saved for use."""
    hole_weight: float = 1.0
    """Weight of the fill's mean absolute error inside the hole."""
    own_hole_weight: float = 0.5
    """Weight of the network's own picture's mean absolute error inside the hole."""
    own_known_weight: float = 0.25
    """Weight of the same outside the hole."""
    freeze_norm_after: float = 0.6
    """Share of the run after which batch norm uses, and no longer updates, its running statistics."""
    seed: int = 0
    """Seed of the weights and of the samples."""
    bfloat16: bool = True
    """Compute in bfloat16 where torch's autocast allows."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "frames", "warmup"):
            if getattr(self, name) < 1:
                raise InputError(f"training config: {name} is {getattr(self, name)}, expected 1 or more")
        if any(side < 8 or side % 8 for side in self.size):
            raise InputError(f"training config: size is {self.size}, expected multiples of 8")
        if not 0.0 <= self.average < 1.0:
            raise InputError(f"training config: average is {self.average}, expected 0 to below 1")

    def to_json(self) -> str:
        """Return the settings as one JSON object."""
        return json.dumps(asdict(self), indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """Read settings that `to_json` wrote; fields left out keep their defaults.

        Raises:
            InputError: not JSON, or a field is unknown or out of range.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            unknown = sorted(set(values) - {field.name for field in fields(cls)})
            if unknown:
                raise InputError(f"training config: unknown fields {', '.join(unknown)}")
            if "size" in values:
                width, height = values["size"]
                values["size"] = (int(width), int(height))
            return cls(**values)
        except InputError:
            raise
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(f"training config: cannot be read ({error})") from error

    @classmethod
    def read(cls, path: Path) -> TrainConfig:
        """Read a JSON file.

        Raises:
            InputNotFoundError: the file is not there.
            InputError: see `from_json`.
        """
        if not path.is_file():
            raise InputNotFoundError(f"training config: {path} is not there; expected a JSON file")
        return cls.from_json(path.read_text(encoding="utf-8"))
