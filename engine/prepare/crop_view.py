"""A crop that stays fixed over several windows, and what is known of the frames in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Frame, Mask
from ptfan.engine.prepare.crop import Crop
from ptfan.engine.prepare.detail import Details, Look, Plane
from ptfan.engine.prepare.flow import FlowCompletion, FlowEstimator, GuideImage, SmoothFlows, estimate_pair, guide_image
from ptfan.engine.prepare.stream_inputs import StreamInputs
from ptfan.engine.runners.runner import Arrays

__all__ = ["CropInputs", "CropView"]


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
    details: tuple[Plane | None, ...]
    """T planes (h, w): what is added to the luminance of what fills the hole, in the box round the hole in the crop, at
    the source's resolution; None where nothing is."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """A frame in the crop."""

    image: NDArray[np.float32]
    """(h, w, 3) at working size, zero in the hole."""
    hole: Mask
    """(h, w)."""
    guide: GuideImage
    """(h, w)."""


class CropView:
    """The frames of a stream as one crop shows them, by their number in the stream.

    Args:
        crop: Where it lies.
        key: Tells it from all others of the stream.
        estimator: The flow's method.
        completion: What decides on the flow inside the holes.
        new_inputs: Begins what makes the network's inputs.
    """

    def __init__(
        self,
        crop: Crop,
        key: int,
        estimator: FlowEstimator,
        completion: FlowCompletion,
        new_inputs: Callable[[], StreamInputs],
    ) -> None:
        self.crop, self.key = crop, key
        self._estimator, self._completion = estimator, completion
        self._new_inputs = new_inputs
        self._begin()
        self._following: int | None = None
        self._frames: dict[int, _Seen] = {}
        self._flows: dict[int, SmoothFlows] = {}

    def window(self, frames: Sequence[Frame], number: int, keep: range, *, first: int, beyond: bool) -> CropInputs:
        """Return what the network is to be shown of a window.

        Where it does not follow the window before, the view begins anew: nothing goes on but what was seen of frames.

        Args:
            frames: the window's frames.
            number: the number of the first one in the stream.
            keep: places in the window of those that are kept.
            first: the first place that is needed where the view goes on; where it begins, that is the window's first.
            beyond: make inputs for the frames beyond the kept ones at once.
        """
        if self._following != number + keep.start:
            first = 0
            self._begin()
        self._following = number + keep.stop
        numbers = range(number + first, number + len(frames))
        self._look(numbers, frames[first:])
        seen = [self._frames[n] for n in numbers]
        images, holes = tuple(item.image for item in seen), tuple(item.hole for item in seen)
        flows = self._completion([self._flows[n] for n in numbers[:-1]], holes)
        kept = keep.stop - first
        arrays, whole = self._inputs.make(images, holes, flows, first=numbers.start, kept=kept, beyond=beyond)
        looks = [Look(frame, item.guide, item.hole) for frame, item in zip(frames[first:], seen, strict=True)]
        details = self._details.of(looks, flows, first=numbers.start, keep=range(keep.start - first, kept))
        return CropInputs(self.key, first, self.crop, images, holes, arrays, whole, tuple(details))

    def _begin(self) -> None:
        """Forget what goes on from window to window."""
        self._inputs, self._details = self._new_inputs(), Details(self.crop)

    def _look(self, numbers: range, frames: Sequence[Frame]) -> None:
        """Cut the crop out of frames that are new, and estimate their flow; forget those before."""
        self._frames = {number: seen for number, seen in self._frames.items() if number >= numbers.start}
        self._flows = {number: flow for number, flow in self._flows.items() if number >= numbers.start}
        for number, frame in zip(numbers, frames, strict=True):
            if number not in self._frames:
                image, hole = self.crop.extract(frame.image, frame.hole)
                self._frames[number] = _Seen(image, hole, guide_image(image, hole))
        for number in numbers[:-1]:
            if number not in self._flows:
                one, two = self._frames[number], self._frames[number + 1]
                self._flows[number] = estimate_pair(self._estimator, one.guide, two.guide, one.hole, two.hole)
