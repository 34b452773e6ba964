"""Everything that happens to frames before the network: scene cuts, windows, crops, flow, propagation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Frame
from ptfan.engine.prepare.completions import Completions
from ptfan.engine.prepare.crop import Crop, CropRules
from ptfan.engine.prepare.crop_tracker import CropTracker
from ptfan.engine.prepare.crop_view import CropInputs, CropView
from ptfan.engine.prepare.flow import DisFlow, FlowEstimator
from ptfan.engine.prepare.scenes import CutDetector
from ptfan.engine.prepare.stream_inputs import StreamInputs
from ptfan.engine.prepare.texture import TexturedColours
from ptfan.engine.prepare.window import Windower, WindowOf
from ptfan.engine.spec import Fill

__all__ = ["Preparer", "PreparerSettings", "Window"]


@dataclass(frozen=True, kw_only=True)
class PreparerSettings:
    """How a stream is cut into windows and crops, and what the network expects of them."""

    window: int
    """Frames in a window."""
    stride: int
    """Frames between the starts of two windows."""
    rules: CropRules
    """What crops may look like."""
    fill: Fill
    """What the network expects in the holes."""
    ahead: int | None = None
    """Frames at a window's end that are not kept, see `Windower`."""
    lead: int | None = None
    """Frames before the kept ones that are looked at again; all of the window if None. A crop that is new is shown the
    whole window, whatever this says, so that it knows what was seen before."""
    beyond: bool = True
    """Make inputs for the frames beyond the kept ones at once, not when they are asked for."""
    scene_cuts: bool = True
    """Look for cuts, beside those that the frames tell of."""


@dataclass(frozen=True, eq=False)
class Window:
    """Frames that go through the network together."""

    number: int
    """The first frame's number in the stream, from 0."""
    frames: tuple[Frame, ...]
    """The frames, oldest first."""
    keep: range
    """Positions in `frames` whose results are kept."""
    crops: tuple[CropInputs, ...]
    """What the network is to be shown; empty if no kept frame has a hole."""


class Preparer:
    """Frames in, windows out. Nothing crosses a scene cut; every frame is kept by exactly one window, in order."""

    def __init__(
        self,
        settings: PreparerSettings,
        completions: Completions | None = None,
        estimator: FlowEstimator | None = None,
    ) -> None:
        """Prepare a stream.

        Args:
            settings: how.
            completions: what decides on flow and colours inside the holes; smooth ones by default. They are not closed
                here.
            estimator: the flow's method; dense inverse search by default.
        """
        self._settings, self._completions = settings, completions or Completions()
        self._colours = TexturedColours(self._completions.colours)
        self._estimator = estimator or DisFlow()
        self._windower: Windower[tuple[int, Frame]] = Windower(settings.window, settings.stride, settings.ahead)
        self._cuts = CutDetector() if settings.scene_cuts else None
        self._tracker = CropTracker(settings.rules, self._new_view)
        self._shape: tuple[int, ...] | None = None
        self._number = 0
        self._keys = count()

    def push(self, frame: Frame) -> list[Window]:
        """Take the next frame; return the windows that are complete.

        Raises:
            InputError: the frame is no RGB picture with a mask of its size, or its size differs from the stream's.
        """
        self._check(frame)
        # The detector sees every frame: else the one after a cut that the frame tells of would look like another cut.
        found = self._cuts is not None and self._cuts.push(frame.image, frame.hole)
        if found and not frame.cut:
            frame = replace(frame, cut=True)
        windows = self._end_scene() if frame.cut else []
        complete = self._windower.push((self._number, frame))
        self._number += 1
        return windows + ([self._window(complete)] if complete else [])

    def flush(self) -> list[Window]:
        """Return the rest of the stream; the next frame begins a new one."""
        windows = self._end_scene()
        self.reset()
        return windows

    def reset(self) -> None:
        """Forget the stream; frames that still wait are lost."""
        self._windower.flush()
        self._tracker.clear()
        self._shape = None
        if self._cuts is not None:
            self._cuts.reset()

    def _end_scene(self) -> list[Window]:
        last = self._windower.flush()
        windows = [self._window(last)] if last else []
        self._tracker.clear()
        return windows

    def _check(self, frame: Frame) -> None:
        if frame.image.shape[2] != 3 or frame.image.dtype not in (np.uint8, np.uint16):
            raise InputError(
                f"frame is {frame.image.dtype} of shape {frame.image.shape}, expected uint8 or uint16 (H, W, 3)"
            )
        if frame.hole.dtype != np.bool_:
            raise InputError(f"mask is {frame.hole.dtype}, expected bool, True in the hole; compare it with 0")
        if frame.hole.shape != frame.image.shape[:2]:
            raise InputError(f"mask is {_size(frame.hole.shape)}, expected the frame's {_size(frame.image.shape)}")
        if self._shape is not None and frame.image.shape != self._shape:
            raise InputError(f"frame is {_size(frame.image.shape)}, expected {_size(self._shape)} as before")
        self._shape = frame.image.shape

    def _window(self, window: WindowOf[tuple[int, Frame]]) -> Window:
        frames = tuple(frame for _, frame in window.items)
        number, keep, lead = window.items[0][0], window.keep, self._settings.lead
        if not any(frames[t].hole.any() for t in keep):
            return Window(number, frames, keep, ())
        first = 0 if lead is None else max(0, keep.start - lead)
        views = self._tracker.views(frames[first:])
        beyond = self._settings.beyond
        crops = tuple(view.window(frames, number, keep, first=first, beyond=beyond) for view in views)
        return Window(number, frames, keep, crops)

    def _new_view(self, crop: Crop) -> CropView:
        new_inputs = partial(StreamInputs, self._settings.fill, self._colours)
        return CropView(crop, next(self._keys), self._estimator, self._completions.flow, new_inputs)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
