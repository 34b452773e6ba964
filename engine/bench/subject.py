"""What is measured: one model on one backend at one size, with inputs that cost nothing to make."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.models import find_model
from ptfan.engine.runner import Backend, BoundRunner, open_runner
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.engine.stepper import Stepper

__all__ = ["Subject"]

CHANNELS = {"frames": 3, "flow_forward": 2, "flow_backward": 2}
"""The inputs that have more than one channel."""
LONGEST = 4.0
"""Flow components of the made-up inputs, pixels."""


class Subject:
    """A loaded model, ready to be called."""

    def __init__(
        self, model: str, size: tuple[int, int], *, backend: Backend = "auto", threads: int = 0, streams: int = 1
    ) -> None:
        """Load a model and make its inputs.

        Args:
            model: a name, an ONNX file, or a file that an installed runner takes (a checkpoint).
            size: (width, height) of the frames, pixels, multiples of the model's.
            backend: what runs it.
            threads: threads inside; 0 takes one a core.
            streams: streams in a batch, of a step model alone.

        Raises:
            InputNotFoundError: there is no such model.
            InputError: the size or the number of streams does not fit the model.
        """
        self.runner = open_runner(find_model(model), backend=backend, threads=threads)
        spec = self.runner.spec
        width, height = size
        if width % spec.size_multiple or height % spec.size_multiple:
            raise InputError(f"size is {width}x{height}, {spec.name} takes multiples of {spec.size_multiple}")
        if streams > 1 and spec.form != "step":
            raise InputError(f"{streams} streams: {spec.name} is of the {spec.form} form, only the step form has them")
        self.name = Path(model).name if Path(model).suffix else model
        self.label = f"{self.name}, {width}x{height}" + (f", {streams} streams" if streams > 1 else "")
        stepped = spec.form == "step"
        self.frames = streams if stepped else spec.fixed_window or spec.window
        """Frames that a call takes."""
        self.kept = streams if stepped else spec.stride
        """Frames that a call finishes."""
        self._inputs = _made_up(self.frames, height, width)
        self._stepper = None
        if stepped:
            if not isinstance(self.runner, BoundRunner):
                raise ModelError(f"{self.runner.backend} cannot run the step form of {spec.name}")
            self._stepper = Stepper(self.runner, height, width, streams=streams)

    def call(self) -> float:
        """Run once; return the seconds that it took."""
        begin = time.perf_counter()
        if self._stepper is None:
            self.runner.run(self._inputs)
        else:
            self._stepper.push(self._inputs, [True] * self.frames)
        return time.perf_counter() - begin

    def __enter__(self) -> Subject:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.runner.close()


def _made_up(frames: int, height: int, width: int) -> dict[str, NDArray[np.float32]]:
    """Return noise with a hole in the middle, short flows, and nine vectors of ten that can be used."""
    random = np.random.default_rng(0)
    arrays = {name: random.random((frames, CHANNELS.get(name, 1), height, width), np.float32) for name in CLIP_INPUTS}
    arrays["hole"][:] = 0.0
    arrays["hole"][..., height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = 1.0
    for name in ("flow_forward", "flow_backward"):
        arrays[name] = LONGEST * (2 * arrays[name] - 1)
    for name in ("validity_forward", "validity_backward"):
        arrays[name] = (arrays[name] < 0.9).astype(np.float32)
    return arrays
