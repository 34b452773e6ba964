"""How the learning rate goes over a run."""

from __future__ import annotations

import math

from ptfan.training.runs.config import ScheduleConfig

__all__ = ["rate_factor"]


def rate_factor(config: ScheduleConfig, step: int, steps: int) -> float:
    """Return the factor of the peak learning rate at step `step` (from 0) of `steps`."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    after = step - config.warmup
    if config.kind == "step":
        return float(config.decay ** (after // config.decay_every))
    share = min(1.0, after / max(1, steps - config.warmup))
    return config.floor + (1.0 - config.floor) * 0.5 * (1.0 + math.cos(math.pi * share))
