"""What a network must do for a frame at least, and how long that takes at the machine's own pace."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ptfan.engine.spec import CLIP_CHANNELS, SAMPLE_BYTES, ModelSpec

__all__ = ["Pace", "Work", "measure_pace"]

SIDE = 1536
"""Of the matrices that are multiplied."""
COPIED = 1 << 26
"""Bytes that are copied: more than the caches hold."""
TRIES = 5
"""The best of so many counts: what the machine can do, not what it happened to do."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What the machine can do when that is all that it does."""

    flop_per_second: float
    """Of a product of two large fp32 matrices by NumPy, on all cores that it takes."""
    bytes_per_second: float
    """Read and written by a copy of an array that no cache holds."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one finished frame takes at least, whatever computes it."""

    flop: float
    """Floating-point operations of the convolutions; 0 if the model does not tell."""
    bytes: float
    """Weights, inputs, outputs and what is carried from step to step, each read or written once."""

    @classmethod
    def of(cls, spec: ModelSpec, size: tuple[int, int], *, frames: int, kept: int) -> Work:
        """Count the work of a call, by finished frame.

        Args:
            spec: the model's.
            size: (width, height) of the frames, pixels.
            frames: frames that a call takes.
            kept: frames that it finishes.
        """
        width, height = size
        pixels, sample = width * height, SAMPLE_BYTES[spec.precision]
        channels = sum(count * (4 if name.startswith("flow") else sample) for name, count in CLIP_CHANNELS.items())
        carried = sum((len(item.delays) + 1) * item.bytes(width, height) for item in spec.carried)
        frame = pixels * (channels + 3 * sample) + carried
        return cls(
            flop=spec.flop_per_pixel * pixels * frames / kept,
            bytes=(frame * frames + spec.parameters * sample) / kept,
        )

    def floor_ms(self, pace: Pace) -> float:
        """Return the milliseconds below which no implementation gets on a machine of that pace."""
        return 1e3 * max(self.flop / pace.flop_per_second, self.bytes / pace.bytes_per_second)


def measure_pace() -> Pace:
    """Measure what this machine's processor can do; it takes less than a second."""
    matrix = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    product = np.empty_like(matrix)
    source = np.ones(COPIED, np.uint8)
    target = np.empty_like(source)
    return Pace(
        flop_per_second=2 * SIDE**3 / _shortest(lambda: np.matmul(matrix, matrix, out=product)),
        bytes_per_second=2 * COPIED / _shortest(lambda: np.copyto(target, source)),
    )


def _shortest(call: Callable[[], object]) -> float:
    shortest = math.inf
    for _ in range(TRIES):
        begin = time.perf_counter()
        call()
        shortest = min(shortest, time.perf_counter() - begin)
    return shortest
