"""What is measured: one model on one backend at one size, with inputs that cost nothing to make."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.bench.work import Work
from ptfan.engine.errors import InputError
from ptfan.engine.fillers.stepper import Stepper
from ptfan.engine.inpainter import InpaintSettings, window_and_stride
from ptfan.engine.prepare.window import Windower
from ptfan.engine.runners.runner import Runner
from ptfan.engine.spec import CLIP_CHANNELS

__all__ = ["Subject", "network_label"]

LONGEST = 4.0
"""The longest flow of the made-up inputs along an axis, pixels."""


class Subject:
    """A loaded model, ready to be called."""

    def __init__(
        self,
        model: str,
        runner: Runner,
        size: tuple[int, int],
        *,
        streams: int = 1,
        window: int | None = None,
    ) -> None:
        """Make a model's inputs.

        Args:
            model: what reports call it.
            runner: the model, loaded; it is not closed here, and may serve several subjects.
            size: (width, height) of the frames, pixels, multiples of the model's.
            streams: streams in a batch, of a step model alone.
            window: frames in a window, of a clip model alone; its own by default.

        Raises:
            InputError: the size, the window or the number of streams does not fit the model.
            ModelError: it is a helper, which fills no holes.
        """
        runner.spec.check_form("clip", "step")
        self.model, self.runner, self.size, self.streams = model, runner, size, streams
        spec = runner.spec
        self.stepped = spec.form == "step"
        """Whether a call takes a frame of each stream, or a window."""
        self._check(size, streams, window)
        frames, kept = window_and_stride(spec, InpaintSettings(window=window))
        self.frames = streams if self.stepped else frames
        """Frames that a call takes."""
        self.kept = streams if self.stepped else kept
        """Frames that a call finishes."""
        self.work = Work.of(spec, size, frames=self.frames, kept=self.kept)
        """What a finished frame takes at least."""
        self.label = network_label(model, size, streams, window)
        self.inputs = _made_up(self.frames, size[1], size[0])
        """What a call is given, by name."""
        self._stepper = self._new_stepper() if self.stepped else None

    def call(self) -> float:
        """Run once; return the seconds that it took."""
        begin = time.perf_counter()
        if self._stepper is None:
            self.runner.run(self.inputs)
        else:
            self._stepper.push(self.inputs, [True] * self.streams)
        return time.perf_counter() - begin

    def clip(self, length: int) -> tuple[float, float]:
        """Run a whole clip through the network, of each stream.

        A clip model is shown windows as the runtime cuts them; a step model is flushed at the end.

        Args:
            length: frames of the clip.

        Returns:
            Seconds that it took, and how many of them the flush did.
        """
        begin = time.perf_counter()
        if not self.stepped:
            for frames in self._windows(length):
                self.runner.run({name: array[:frames] for name, array in self.inputs.items()})
            return time.perf_counter() - begin, 0.0
        stepper = self._new_stepper()
        for _ in range(length):
            stepper.push(self.inputs, [True] * self.streams)
        last = time.perf_counter()
        for _ in range(stepper.delay):
            stepper.push(self.inputs, [False] * self.streams)
        return time.perf_counter() - begin, time.perf_counter() - last

    def _windows(self, length: int) -> list[int]:
        """Return the lengths of a clip's windows."""
        windower: Windower[int] = Windower(self.frames, self.kept)
        windows = [*(windower.push(t) for t in range(length)), windower.flush()]
        whole = self.runner.spec.fixed_window is not None
        return [self.frames if whole else len(window.items) for window in windows if window is not None]

    def _new_stepper(self) -> Stepper:
        width, height = self.size
        return Stepper(self.runner, height, width, streams=self.streams)

    def _check(self, size: tuple[int, int], streams: int, window: int | None) -> None:
        spec, (width, height) = self.runner.spec, size
        if width % spec.size_multiple or height % spec.size_multiple:
            raise InputError(f"size is {width}x{height}, {spec.name} takes multiples of {spec.size_multiple}")
        if streams > 1 and not self.stepped:
            raise InputError(f"{streams} streams: {spec.name} is of the {spec.form} form, only the step form has them")
        if window is not None and self.stepped:
            raise InputError(f"window of {window}: {spec.name} is of the step form, only the clip form has windows")


def network_label(model: str, size: tuple[int, int], streams: int = 1, window: int | None = None) -> str:
    """Return what reports call a model at a size, in words as short as can be."""
    parts = [model, f"{size[0]}x{size[1]}"]
    parts += [f"{streams} streams"] if streams > 1 else []
    parts += [f"windows of {window}"] if window is not None else []
    return ", ".join(parts)


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
