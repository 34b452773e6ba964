"""What is measured: one model on one backend at one size, with inputs that cost nothing to make."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.runner import Runner
from ptfan.engine.spec import CLIP_CHANNELS
from ptfan.engine.stepper import Stepper

__all__ = ["Subject"]

LONGEST = 4.0
"""Flow components of the made-up inputs, pixels."""


class Subject:
    """A loaded model, ready to be called."""

    def __init__(self, model: str, runner: Runner, size: tuple[int, int], *, streams: int = 1) -> None:
        """Make a model's inputs.

        Args:
            model: its name or file, for the report.
            runner: the model, loaded; it is not closed here, and may serve several subjects.
            size: (width, height) of the frames, pixels, multiples of the model's.
            streams: streams in a batch, of a step model alone.

        Raises:
            InputError: the size or the number of streams does not fit the model.
        """
        self.runner = runner
        spec = runner.spec
        width, height = size
        if width % spec.size_multiple or height % spec.size_multiple:
            raise InputError(f"size is {width}x{height}, {spec.name} takes multiples of {spec.size_multiple}")
        if streams > 1 and spec.form != "step":
            raise InputError(f"{streams} streams: {spec.name} is of the {spec.form} form, only the step form has them")
        name = Path(model).name if Path(model).suffix else model
        self.label = f"{name}, {width}x{height}" + (f", {streams} streams" if streams > 1 else "")
        stepped = spec.form == "step"
        self.frames = streams if stepped else spec.fixed_window or spec.window
        """Frames that a call takes."""
        self.kept = streams if stepped else spec.stride
        """Frames that a call finishes."""
        self._inputs = _made_up(self.frames, height, width)
        self._stepper = Stepper(runner, height, width, streams=streams) if stepped else None

    def call(self) -> float:
        """Run once; return the seconds that it took."""
        begin = time.perf_counter()
        if self._stepper is None:
            self.runner.run(self._inputs)
        else:
            self._stepper.push(self._inputs, [True] * self.frames)
        return time.perf_counter() - begin


def _made_up(frames: int, height: int, width: int) -> dict[str, NDArray[np.float32]]:
    """Return noise with a hole in the middle, short flows, and nine vectors of ten that can be used."""
    random = np.random.default_rng(0)
    shapes = {name: (frames, channels, height, width) for name, channels in CLIP_CHANNELS.items()}
    arrays = {name: random.random(shape, np.float32) for name, shape in shapes.items()}
    arrays["hole"][:] = 0.0
    arrays["hole"][..., height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = 1.0
    for name in ("flow_forward", "flow_backward"):
        arrays[name] = LONGEST * (2 * arrays[name] - 1)
    for name in ("validity_forward", "validity_backward"):
        arrays[name] = (arrays[name] < 0.9).astype(np.float32)
    return arrays
