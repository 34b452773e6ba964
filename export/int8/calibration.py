"""What a network is shown while it fills holes of real clips: the calls whose values tell the ranges to divide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.checks import check_numbers
from ptfan.engine.frame import Frame, Mask
from ptfan.engine.inpainter import Inpainter
from ptfan.engine.prepare.colour_completion import LearnedColours
from ptfan.engine.prepare.completions import Completions
from ptfan.engine.prepare.flow import estimate_flows
from ptfan.engine.prepare.flow_completion import LearnedFlow
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.progress import NoProgress, Progress, running
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.runners.ort.ort_runner import OrtRunner
from ptfan.engine.runners.runner import State, Values
from ptfan.engine.spec import Form
from ptfan.training.data.clip_list import clip_list
from ptfan.training.data.datasets import open_dataset
from ptfan.training.data.pixels import to_floats
from ptfan.training.data.random_holes import random_holes

__all__ = ["CalibrationSettings", "Listener", "calibration_calls", "calls_of"]

Call = dict[str, NDArray[Any]]
"""The inputs of one call, by name."""


@dataclass(frozen=True, kw_only=True)
class CalibrationSettings:
    """Which clips are filled, and how many of the network's calls count."""

    data: Path
    """A dataset of complete clips, as `ptfan train` takes it."""
    clips: Path | None = None
    """A list of the clips to use; all without it."""
    frames: int = 40
    """The most frames of a clip."""
    every: int = 10
    """Every so-many-th call counts: neighbouring frames are too much alike to tell more."""
    seed: int = 0
    """Of the holes, which are those of training."""
    threads: int = 0
    """Threads inside the network; 0 takes one a core."""

    def __post_init__(self) -> None:
        check_numbers("calibration", self, "frames", least=2)
        check_numbers("calibration", self, "every", least=1)
        check_numbers("calibration", self, "seed", "threads")


def calibration_calls(model: Path, settings: CalibrationSettings, progress: Progress | None = None) -> Iterator[Call]:
    """Fill random holes of clips; yield the inputs of the calls that count, while they are made.

    Args:
        model: an ONNX file; of a helper network every call counts, as a call is a whole clip.
        settings: of which clips.
        progress: is told of every clip.

    Raises:
        InputError: the data, the list or a clip cannot be used.
    """
    progress = progress or NoProgress()
    clips = open_dataset(settings.data, names=clip_list(settings.clips)).clips
    spec = read_spec(model)
    every = 1 if spec.helps else settings.every
    counted = running(progress, "calibrating", len(clips), "clips")
    with Listener(model, every=every, threads=settings.threads) as listener, counted:
        for number, clip in enumerate(clips):
            images = clip.read(0, min(clip.frames, settings.frames))
            count, height, width = images.shape[:3]
            holes = random_holes(np.random.default_rng((settings.seed, number)), count, height, width)
            yield from calls_of(spec.form, listener, images, holes)
            progress.advance()


def calls_of(
    form: Form, listener: Listener, images: Iterable[NDArray[np.uint8]], holes: Sequence[Mask]
) -> Iterator[Call]:
    """Yield the calls of a network of some form that are made for T frames (H, W, 3) with holes (H, W)."""
    if form == "flow":
        estimate_flows([to_floats(image) for image in images], holes, completion=LearnedFlow(listener))
        yield from listener.take()
    elif form == "colour":
        _complete_colours(listener, [to_floats(image) for image in images], holes)
        yield from listener.take()
    else:
        yield from _fill_calls(listener, images, holes)


def _complete_colours(listener: Listener, images: Sequence[NDArray[np.float32]], holes: Sequence[Mask]) -> None:
    with Completions.open("learned", "smooth", "propagated") as completions:
        flows = estimate_flows(images, holes, completion=completions.flow)
    clip_inputs(images, holes, flows, "propagated", colours=LearnedColours(listener))


def _fill_calls(listener: Listener, images: Iterable[NDArray[np.uint8]], holes: Sequence[Mask]) -> Iterator[Call]:
    with Inpainter(runner=listener) as inpainter:
        for image, hole in zip(images, holes, strict=True):
            inpainter.push(Frame(image, hole))
            yield from listener.take()
        inpainter.flush()
        yield from listener.take()


class Listener(OrtRunner):
    """A runner on the CPU that keeps a copy of every so-many-th call's inputs."""

    def __init__(self, model: Path, *, every: int = 1, threads: int = 0) -> None:
        """Load an ONNX file; see `OrtRunner`."""
        super().__init__(model, threads=threads)
        self._every, self._calls = every, 0
        self._kept: list[Call] = []

    def take(self) -> list[Call]:
        """Return what has been kept since the last time."""
        kept, self._kept = self._kept, []
        return kept

    def run_into(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]]:
        """Run once, and keep what came in if it is this call's turn."""
        if self._calls % self._every == 0:
            self._kept.append({name: _copied(value) for name, value in inputs.items()})
        self._calls += 1
        return super().run_into(inputs, into)


def _copied(value: Any) -> NDArray[Any]:
    """Return an array, or a value of ONNX Runtime's, as an array of its own."""
    return np.array(value if isinstance(value, np.ndarray) else value.numpy())
