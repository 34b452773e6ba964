"""The inpainter: push frames with holes, get frames whose holes are filled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Literal

from ptfan.engine.checks import check_choice, check_whole
from ptfan.engine.closing import Closing
from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.fillers.filler import Filler, WindowFiller
from ptfan.engine.fillers.step_filler import StepFiller
from ptfan.engine.fillers.step_pool import StepPool
from ptfan.engine.frame import Frame
from ptfan.engine.models import DEFAULT_MODEL
from ptfan.engine.prepare.completions import Completions
from ptfan.engine.prepare.crop import CropRules
from ptfan.engine.prepare.preparer import Preparer, PreparerSettings, Window
from ptfan.engine.runners.backends import Backend
from ptfan.engine.runners.choice import open_model
from ptfan.engine.runners.runner import Runner
from ptfan.engine.spec import CompletionName, ModelSpec

__all__ = [
    "InpaintSettings",
    "Inpainter",
    "clips_settings",
    "crop_rules",
    "open_filler",
    "preparer_settings",
    "window_and_stride",
]


@dataclass(frozen=True, kw_only=True)
class InpaintSettings:
    """How frames are prepared for the network."""

    size: tuple[int, int] | Literal["native"] | None = None
    """The network's working size (width, height) in pixels: a crop with more pixels is scaled down to as many.
    None takes the model's own, `native` never scales."""
    crop: bool = True
    """Show the network only a region round the hole; False shows it the whole frame."""
    window: int | None = None
    """Frames in a window; None takes the model's own."""
    stride: int | None = None
    """Frames between the starts of two windows; None takes the model's own share of the window."""
    backend: Backend = "auto"
    """What runs the network."""
    gpu: int = 0
    """The GPU that a backend which needs one uses."""
    threads: int = 0
    """Threads inside the network; 0 takes one a core, or one for two cores where convolutions are int8."""
    scene_cuts: bool = True
    """Look for scene cuts; nothing crosses one."""
    flow_completion: CompletionName = "learned"
    """What decides on the flow inside holes: a small network, or a smooth completion from their surroundings."""
    colour_completion: CompletionName = "learned"
    """What decides on the colours that no frame shows, likewise."""

    def __post_init__(self) -> None:
        pair = (
            isinstance(self.size, tuple)
            and len(self.size) == 2
            and all(isinstance(side, Integral) for side in self.size)
        )
        if not (pair or self.size is None or self.size == "native"):
            raise InputError(f"working size is {self.size!r}, expected (width, height), 'native' or None")
        if isinstance(self.size, tuple) and min(self.size) < 16:
            raise InputError(f"working size is {self.size[0]}x{self.size[1]}, expected 16x16 or more")
        check_choice("flow completion", self.flow_completion, CompletionName)
        check_choice("colour completion", self.colour_completion, CompletionName)
        check_whole(self, "threads", "gpu")
        check_whole(self, "window", "stride", least=1)


class Inpainter(Closing):
    """Frames with holes in, the same frames with patches for their holes out.

    `push` takes one frame and returns none or more; `flush` returns the rest, as codecs do. Memory is bounded by the
    window. It serves one stream, and one thread at a time; the two halves of a push, `preparer` and `infer`, may run in
    two threads.

    Example:
        with Inpainter() as inpainter:
            for image, hole in clip:
                for frame in inpainter.push(Frame(image, hole)):
                    show(frame.composite())
            for frame in inpainter.flush():
                show(frame.composite())
    """

    def __init__(
        self,
        model: str | Path = DEFAULT_MODEL,
        *,
        settings: InpaintSettings | None = None,
        runner: Runner | None = None,
        pool: StepPool | None = None,
    ) -> None:
        """Load a model.

        Args:
            model: a model of the package by name, or an ONNX file.
            settings: how frames are prepared; the model's own by default.
            runner: a loaded network to use instead of `model`; it is not closed here.
            pool: a step model that other streams use as well, instead of either; see `Engine`.

        Raises:
            InputNotFoundError: there is no such model.
            ModelError: the file is not a model of ptfan, or does not fit the settings.
            MissingExtraError: no backend is installed.
            BackendError: the backend that the settings name cannot run here.
        """
        self.settings, self._used = settings or InpaintSettings(), threading.Lock()
        given = runner if pool is None else pool.runner
        with ExitStack() as opened:
            self.runner = given or opened.enter_context(
                open_model(model, backend=self.settings.backend, threads=self.settings.threads, gpu=self.settings.gpu)
            )
            self._filler = open_filler(self.runner, pool)
            self._completions = opened.enter_context(
                Completions.open(self.settings.flow_completion, self.settings.colour_completion, self.spec.fill)
            )
            self.preparer = Preparer(preparer_settings(self.spec, self.settings), self._completions)
            self._opened, self._closed = opened.pop_all(), False

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        if self._closed:
            raise InputError("inpainter is closed; open another one")
        if not self._used.acquire(blocking=False):
            raise InputError("inpainter is in use in another thread just now; open one for each stream")
        try:
            yield
        finally:
            self._used.release()

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""
        return self.runner.spec

    @property
    def helpers(self) -> dict[str, Path]:
        """The files of the networks that complete flow and colours for the model, by `flow` and `colour`."""
        return self._completions.files

    def push(self, frame: Frame) -> list[Frame]:
        """Take the next frame; return the frames that are finished, in order.

        Its arrays are kept, not copied: do not write to them, also not when it is finished, since the frames after it
        are filled from it. Of a camera's buffer that is written anew, push a copy.

        Raises:
            InputError: the frame's size differs from the stream's, or its mask's from its own; or the inpainter is
                closed, or in use in another thread.
        """
        with self._in_use():
            return [done for window in self.preparer.push(frame) for done in self.infer(window)]

    def flush(self) -> list[Frame]:
        """Return the frames that still wait; the next frame begins a new stream.

        Raises:
            InputError: it is closed, or in use in another thread.
        """
        with self._in_use():
            return [done for window in self.preparer.flush() for done in self.infer(window)] + self.finish()

    def reset(self) -> None:
        """Forget the stream; frames that still wait are lost."""
        self.preparer.reset()
        self._filler.reset()

    def infer(self, window: Window) -> list[Frame]:
        """Run the network on a window; return the frames that are finished, with their patches."""
        return self._filler.infer(window)

    def finish(self) -> list[Frame]:
        """Return the frames that wait in the network behind the last window; the next one begins a new stream."""
        return self._filler.finish()

    def close(self) -> None:
        """Free the network, or this stream's share of it; frames that still wait are lost."""
        self._closed = True
        self._filler.reset()
        self._opened.close()


def window_and_stride(spec: ModelSpec, settings: InpaintSettings) -> tuple[int, int]:
    """Return the window and stride to use; a window that is asked for brings the model's share of stride along.

    Raises:
        ModelError: the model takes one window length only, and another was asked for.
        InputError: the stride is longer than the window.
    """
    window = settings.window or spec.fixed_window or spec.window
    if spec.fixed_window is not None and window != spec.fixed_window:
        raise ModelError(f"model {spec.name} takes windows of {spec.fixed_window} frames, {window} are asked for")
    stride = settings.stride or max(1, round(window * spec.stride / spec.window))
    if stride > window:
        raise InputError(f"stride is {stride}, expected 1 to window ({window})")
    return window, stride


def preparer_settings(spec: ModelSpec, settings: InpaintSettings) -> PreparerSettings:
    """Return how a stream is prepared for a model.

    Raises:
        ModelError: the model takes one size or window length only, and another was asked for.
        InputError: the stride is longer than the window.
    """
    window, stride = window_and_stride(spec, settings)
    return PreparerSettings(
        window=window,
        stride=stride,
        rules=crop_rules(spec, settings),
        fill=spec.fill,
        ahead=None if spec.frames_ahead is None else min(spec.frames_ahead, window - stride),
        lead=spec.lead,
        beyond=spec.form != "step" or spec.lead is None,
        scene_cuts=settings.scene_cuts,
    )


def clips_settings(spec: ModelSpec, settings: InpaintSettings) -> PreparerSettings:
    """Return how a stream is prepared in windows of which each is a clip of its own: none overlaps another.

    Raises:
        ModelError: see `preparer_settings`.
    """
    stream = preparer_settings(spec, settings)
    return replace(stream, stride=stream.window, ahead=None, lead=None, beyond=True)


def crop_rules(spec: ModelSpec, settings: InpaintSettings) -> CropRules:
    """Return the rules for crops that a model and the settings make.

    Raises:
        ModelError: the model takes one size only, and another was asked for.
    """
    if spec.fixed_size is not None and settings.size not in (None, spec.fixed_size):
        width, height = spec.fixed_size
        asked = "native" if settings.size == "native" else "{}x{}".format(*settings.size or ())
        raise ModelError(f"model {spec.name} takes pictures of {width}x{height} only, {asked} is asked for")
    size = spec.working_size if settings.size is None else settings.size
    return CropRules(
        working_size=None if size == "native" else size,
        multiple=spec.size_multiple,
        whole_frame=not settings.crop,
        fixed_size=spec.fixed_size,
        smallest=spec.smallest_size,
        largest=spec.largest_size,
    )


def open_filler(runner: Runner, pool: StepPool | None = None) -> Filler:
    """Return the way to run a model of its form.

    Args:
        runner: the model.
        pool: where a step model's streams get their slots; one of their own by default.

    Raises:
        ModelError: the model fills no holes, or the runner cannot run its form.
    """
    runner.spec.check_form("clip", "step")
    return WindowFiller(runner) if runner.spec.form == "clip" else StepFiller(pool or StepPool(runner))
