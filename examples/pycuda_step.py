"""Feed a plan from pycuda: what pycuda has on the GPU is taken where it lies.

Usage: python examples/pycuda_step.py s-live.plan 432x240

pycuda has to work in the GPU's primary context, which CUDA's runtime shares among all that use it. `pycuda.autoinit`
makes a context of its own, whose memory others cannot use.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.commands.values import parse_pixels
from ptfan.engine.fillers.stepper import Stepper
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.runner import DTYPES, Arrays
from ptfan.engine.spec import CLIP_INPUTS, ModelSpec


@contextmanager
def primary_context(gpu: int = 0) -> Iterator[None]:
    """Let pycuda work in a GPU's primary context; afterwards what was current before is so again."""
    from pycuda import driver

    driver.init()
    context = driver.Device(gpu).retain_primary_context()
    context.push()
    try:
        yield
    finally:
        context.pop()


def to_gpu(spec: ModelSpec, inputs: Arrays) -> dict[str, Any]:
    """Return a step's inputs as pycuda's arrays, of the types that the network takes."""
    from pycuda import gpuarray

    types = {name: np.float32 if name.startswith("flow") else DTYPES[spec.precision] for name in inputs}
    return {name: gpuarray.to_gpu(np.ascontiguousarray(array, types[name])) for name, array in inputs.items()}


def random_inputs(spec: ModelSpec, width: int, height: int) -> dict[str, NDArray[np.float32]]:
    """Return what a step takes; flow is 0."""
    shapes, rng = spec.input_shapes(1, width, height), np.random.default_rng(0)
    return {
        name: np.zeros(shapes[name], np.float32) if name.startswith("flow") else rng.random(shapes[name], np.float32)
        for name in CLIP_INPUTS
    }


def main(plan: str, size: str) -> None:
    """Show a plan a few frames."""
    width, height = parse_pixels(size)
    with primary_context(), open_runner(Path(plan)) as runner:
        stepper = Stepper(runner, height, width)
        inputs = to_gpu(runner.spec, random_inputs(runner.spec, width, height))
        for step in range(4):
            print(f"step {step}: the fill's mean is {stepper.push(inputs).mean():.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
