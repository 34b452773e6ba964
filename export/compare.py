"""Parity: the exported graph in ONNX Runtime against the network in torch."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ptfan.engine.difference import Difference, Tally
from ptfan.engine.errors import ToleranceError
from ptfan.engine.fillers.stepper import Stepper, step_inputs
from ptfan.engine.runners.ort.ort_runner import OrtRunner
from ptfan.engine.runners.runner import Arrays, Runner
from ptfan.engine.spec import CLIP_INPUTS, LEAST_PSNR
from ptfan.training.model import Generator

__all__ = ["WORST", "Comparison", "compare", "compare_arrays", "loaded", "run_clip", "run_torch"]

WORST = 1e-4
"""The largest error allowed where nothing is rounded to fp16, of a picture in [0, 1]. An untrained network's values may
lie far outside, and rounding grows with them: then it is this share of the largest."""


@dataclass(frozen=True)
class Comparison(Difference):
    """How far a graph's answer is from torch's."""

    peak: float = 1.0
    """The reference's largest absolute value."""

    @property
    def limit(self) -> float:
        """The largest error allowed where nothing is rounded to fp16."""
        return WORST * max(1.0, self.peak)

    def check(self, *, exact: bool) -> None:
        """Check the tolerance.

        Args:
            exact: nothing was rounded to fp16: the largest error counts. Otherwise the PSNR does.

        Raises:
            ToleranceError: it is exceeded.
        """
        if exact and not self.worst <= self.limit:
            raise ToleranceError(f"ONNX Runtime differs from torch: {self}; expected at most {self.limit:.1e}")
        if not exact and not (math.isfinite(self.worst) and self.psnr >= LEAST_PSNR):
            raise ToleranceError(f"ONNX Runtime differs from torch: {self}; expected at least {LEAST_PSNR:.0f} dB")


def compare_arrays(reference: NDArray[np.float32], result: NDArray[np.float32]) -> Comparison:
    """Compare two clips (T, C, H, W)."""
    tally = Tally()
    for t, (expected, got) in enumerate(zip(reference, result, strict=True)):
        tally.add(t, expected.transpose(1, 2, 0), got.transpose(1, 2, 0))
    return Comparison(**asdict(tally.difference), peak=float(np.abs(reference).max()))


def run_torch(generator: Generator, inputs: Arrays) -> NDArray[np.float32]:
    """Return the network's fill (T, 3, H, W)."""
    with torch.inference_mode():
        fill: NDArray[np.float32] = generator(*(torch.from_numpy(inputs[name]) for name in CLIP_INPUTS)).numpy()
    return fill


@contextmanager
def loaded(content: bytes) -> Iterator[Runner]:
    """Run what is to become a model file, on the CPU; it lies in a folder of its own for as long as the context lives.

    Args:
        content: an ONNX file with its spec.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(content)
        with OrtRunner(path) as runner:
            yield runner


def run_clip(runner: Runner, inputs: Arrays) -> NDArray[np.float32]:
    """Return the fill (T, 3, H, W) of a clip that a model is shown: at once, or a frame at a time, and flushed.

    Args:
        runner: a loaded model. All streams of a step model's fixed number are shown the same.
        inputs: the clip graph's, float32.
    """
    if runner.spec.form == "clip":
        fill: NDArray[np.float32] = runner.run(inputs)["fill"]
        return fill
    count, _, height, width = inputs["frames"].shape
    streams = runner.spec.fixed_streams or 1
    stepper = Stepper(runner, height, width, streams=streams)
    fills = []
    for n in range(count + stepper.delay):
        frame = {name: np.repeat(array, streams, axis=0) for name, array in step_inputs(inputs, n).items()}
        fills.append(stepper.push(frame, [n < count] * streams)[0])
    return np.stack(fills[stepper.delay :])


def compare(generator: Generator, runner: Runner, inputs: Arrays) -> Comparison:
    """Run both on the same inputs.

    Args:
        generator: the reference, fp32, in evaluation mode.
        runner: the exported graph, of the clip or the step form.
        inputs: the clip graph's, float32.
    """
    return compare_arrays(run_torch(generator, inputs), run_clip(runner, inputs))
