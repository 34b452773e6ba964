"""Everything that happens to frames before the network: scene cuts, windows, crops, flow, propagation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Frame, Mask
from ptfan.engine.prepare.crop import Crop, CropRules, plan_crops
from ptfan.engine.prepare.flow import (
    DisFlow,
    FlowCompletion,
    FlowEstimator,
    FlowPair,
    GuideImage,
    SmoothFlows,
    estimate_pair,
    guide_image,
    smooth_completion,
)
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.prepare.propagation import Canvas, Carrier, ColourCompletion, known_pixels
from ptfan.engine.prepare.remembered_colours import RememberedColours
from ptfan.engine.prepare.scenes import CutDetector
from ptfan.engine.prepare.window import Windower, WindowOf
from ptfan.engine.runners.runner import Arrays
from ptfan.engine.spec import Fill

__all__ = ["CropInputs", "Preparer", "Window"]


@dataclass(frozen=True, eq=False)
class CropInputs:
    """One crop of a window, ready for the network."""

    key: int
    """Tells the crop from all others of the stream; the same from window to window while the crop stays."""
    first: int
    """The place in the window of the first of its T frames; it has all from there to the window's end."""
    crop: Crop
    """Where the crop lies and at which size the network sees it."""
    images: tuple[NDArray[np.float32], ...]
    """T pictures (h, w, 3) at working size, zero in the hole."""
    holes: tuple[Mask, ...]
    """T masks (h, w) at working size."""
    arrays: Arrays
    """The network's inputs for these frames; of a `Preparer` that leaves out what lies beyond, for those up to the last
    that is kept."""
    whole: Callable[[], Arrays]
    """Makes the inputs for all T frames."""


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


@dataclass(eq=False)
class _View:
    """A crop that stays fixed over several windows, and what is known of its frames by their number in the stream.

    `settled` is the last frame that was kept, as it was filled.
    """

    crop: Crop
    key: int
    colours: RememberedColours | None = None
    images: dict[int, tuple[NDArray[np.float32], Mask, GuideImage]] = field(default_factory=dict)
    flows: dict[int, SmoothFlows] = field(default_factory=dict)
    past: dict[int, Canvas] = field(default_factory=dict)
    settled: tuple[int, NDArray[np.float32]] | None = None
    carrier: Carrier = field(default_factory=Carrier)

    def forget(self, before: int) -> None:
        """Drop what belongs to frames before a number, so that memory stays bounded."""
        self.images = {number: item for number, item in self.images.items() if number >= before}
        self.flows = {number: flow for number, flow in self.flows.items() if number >= before}
        self.past = {number: arrival for number, arrival in self.past.items() if number >= before}
        if self.settled is not None and self.settled[0] < before:
            self.settled = None

    def completion(self, first: int, wanted: int) -> ColourCompletion | None:
        """Return what completes the colours of frames from a number on, of which those below `wanted` are asked for."""
        if self.colours is None:
            return None
        return self.colours.of(first if self.settled is None else self.settled[0] + 1, wanted)

    def carry(self, number: int, pair: FlowPair | None) -> Canvas:
        """Return what arrives in a frame's hole from all frames before it that this view has seen without a gap.

        Args:
            number: the frame's.
            pair: the flow between the frame before and this one.
        """
        if number not in self.past:
            image, hole, _ = self.images[number]
            step = pair.back if pair is not None and number - 1 in self.past else ()
            self.past[number] = self.carrier.push(known_pixels(image, hole), hole, *step)
        return self.past[number]


class Preparer:
    """Frames in, windows out. Nothing crosses a scene cut; every frame is kept by exactly one window, in order."""

    def __init__(
        self,
        *,
        window: int,
        stride: int,
        rules: CropRules,
        fill: Fill,
        ahead: int | None = None,
        lead: int | None = None,
        beyond: bool = True,
        scene_cuts: bool = True,
        estimator: FlowEstimator | None = None,
        completion: FlowCompletion = smooth_completion,
        colours: ColourCompletion | None = None,
    ) -> None:
        """Prepare a stream.

        Args:
            window: frames in a window.
            stride: frames between the starts of two windows.
            rules: what crops may look like.
            fill: what the network expects in the holes.
            ahead: frames at a window's end that are not kept, see `Windower`.
            lead: frames before the kept ones that are looked at again; all of the window by default. A crop that is new
                is shown the whole window, whatever this says, so that it knows what was seen before.
            beyond: make inputs for the frames beyond the kept ones at once, not when they are asked for.
            scene_cuts: look for cuts, beside those that the frames tell of.
            estimator: the flow's method; dense inverse search by default.
            completion: what decides on the flow inside the holes.
            colours: what decides on the colours that no frame shows; they are smooth if None.
        """
        self._windower: Windower[tuple[int, Frame]] = Windower(window, stride, ahead)
        self._rules, self._fill, self._lead, self._beyond = rules, fill, lead, beyond
        self._cuts = CutDetector() if scene_cuts else None
        self._estimator = estimator or DisFlow()
        self.completion = completion
        """What decides on the flow inside the holes."""
        self.colours = colours
        """What decides on the colours that no frame shows."""
        self._views: list[_View] = []
        self._hole: Mask | None = None
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

    def _end_scene(self) -> list[Window]:
        last = self._windower.flush()
        windows = [self._window(last)] if last else []
        self._views.clear()
        return windows

    def reset(self) -> None:
        """Forget the stream; frames that still wait are lost."""
        self._windower.flush()
        self._views.clear()
        self._shape = None
        if self._cuts is not None:
            self._cuts.reset()

    def _check(self, frame: Frame) -> None:
        if frame.image.ndim != 3 or frame.image.shape[2] != 3 or frame.image.dtype not in (np.uint8, np.uint16):
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
        number = window.items[0][0]
        if not any(frames[t].hole.any() for t in window.keep):
            return Window(number, frames, window.keep, ())
        first = 0 if self._lead is None else max(0, window.keep.start - self._lead)
        self._choose_views(frames, first)
        crops = []
        for view in self._views:
            begin = first if number + first in view.images else 0  # else it has not been there without a gap
            crops.append(self._crop_inputs(view, frames[begin:], number + begin, begin, window.keep.stop - begin))
        return Window(number, frames, window.keep, tuple(crops))

    def _choose_views(self, frames: tuple[Frame, ...], first: int) -> None:
        """Keep the crops while they still fit: a crop that jumps would show in the result, and cost its flow again.

        Those that do not are chosen anew for the window's frames from `first` on.
        """
        # Of a hole that stands still, all frames may share one mask.
        hole = np.logical_or.reduce(list({id(frame.hole): frame.hole for frame in frames[first:]}.values()))
        if self._views and self._hole is not None and np.array_equal(hole, self._hole):
            return
        self._hole = hole
        wanted = plan_crops(hole, self._rules)
        if self._views and _still_fits([view.crop for view in self._views], wanted, hole):
            return
        kept = {view.crop: view for view in self._views}
        self._views = [kept.get(crop) or self._new_view(crop) for crop in wanted]

    def _new_view(self, crop: Crop) -> _View:
        return _View(crop, next(self._keys), None if self.colours is None else RememberedColours(self.colours))

    def _crop_inputs(self, view: _View, frames: tuple[Frame, ...], first: int, place: int, kept: int) -> CropInputs:
        view.forget(first)
        numbers = range(first, first + len(frames))
        for number, frame in zip(numbers, frames, strict=True):
            if number not in view.images:
                image, hole = view.crop.extract(frame.image, frame.hole)
                view.images[number] = (image, hole, guide_image(image, hole))
        for number in numbers[:-1]:
            if number not in view.flows:
                (_, hole, guide), (_, next_hole, next_guide) = view.images[number], view.images[number + 1]
                view.flows[number] = estimate_pair(self._estimator, guide, next_guide, hole, next_hole)
        images = tuple(view.images[number][0] for number in numbers)
        holes = tuple(view.images[number][1] for number in numbers)
        flows = self.completion([view.flows[number] for number in numbers[:-1]], holes)
        past = None
        if self._fill == "propagated":
            past = [view.carry(number, pair) for number, pair in zip(numbers, [None, *flows], strict=True)]
        # Guesses go on from where they have settled: else they would change where one window follows another.
        before = None if view.settled is None else (view.settled[0] - first, view.settled[1])
        make = partial(clip_inputs, images, holes, flows, self._fill, past, colours=self.colours, before=before)
        arrays = make() if self._beyond else make(wanted=kept, colours=view.completion(first, first + kept))
        view.settled = first + kept - 1, np.ascontiguousarray(arrays["frames"][kept - 1].transpose(1, 2, 0))
        # Flow and arrivals are held only where they are needed once more: a long window's are tens of megabytes.
        whole = make if len(arrays["frames"]) < len(images) else partial(dict, arrays)
        return CropInputs(view.key, place, view.crop, images, holes, arrays, whole)


def _still_fits(crops: list[Crop], wanted: list[Crop], hole: Mask) -> bool:
    """Tell whether the crops show the whole hole with some context left, and are not far larger than they must be."""
    area = sum(crop.box.width * crop.box.height for crop in crops)
    if area > 1.5 * sum(crop.box.width * crop.box.height for crop in wanted):
        return False
    height, width = hole.shape
    rest = hole.copy()
    for crop in crops:
        inset = min(crop.box.width, crop.box.height) // 8
        left = crop.box.x + (inset if crop.box.x else 0)
        top = crop.box.y + (inset if crop.box.y else 0)
        right = crop.box.right - (inset if crop.box.right < width else 0)
        bottom = crop.box.bottom - (inset if crop.box.bottom < height else 0)
        rest[top:bottom, left:right] = False
    return not rest.any()


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
