"""The way that shows a step model every frame once, as it comes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.fillers.filler import make_patch
from ptfan.engine.fillers.step_pool import Slot, StepPool
from ptfan.engine.fillers.stepper import step_inputs
from ptfan.engine.frame import Frame, Mask, Patch
from ptfan.engine.prepare.crop import Crop
from ptfan.engine.prepare.crop_view import CropInputs
from ptfan.engine.prepare.preparer import Window

__all__ = ["StepFiller"]


class StepFiller:
    """Runs a step model: each frame once, however windows overlap; a frame is finished `lookahead` frames later.

    Every crop is a stream of its own through the network. One that is new is shown its window from the start, one that
    ends is shown what its last window knows beyond the frames that are kept: no seam is seen where crops change.
    """

    def __init__(self, pool: StepPool) -> None:
        """Take slots of a pool, one for each crop."""
        self._pool = pool
        self._strands: dict[int, _Strand] = {}
        self._waiting: deque[_Waiting] = deque()

    def infer(self, window: Window) -> list[Frame]:
        """Take the next window; return the frames that are finished."""
        goes_on = {job.key for job in window.crops if self._continues(job, window)}
        for key in self._strands.keys() - goes_on:
            self._strands[key].end()  # should it fail, the strand stays for `reset` to close
            self._strands.pop(key).close()
        wanted = {t: _Waiting(window.frames[t], len(window.crops)) for t in window.keep}
        self._waiting.extend(wanted.values())
        for job in window.crops:
            if job.key not in self._strands:
                height, width = job.holes[0].shape
                self._strands[job.key] = _Strand(self._pool.open(self, height, width))
            self._strands[job.key].push(window, job, wanted)
        return self._finished()

    def finish(self) -> list[Frame]:
        """Return the frames that still wait; the next window begins a new stream."""
        for strand in self._strands.values():
            strand.end()
        frames = self._finished()
        self.reset()
        return frames

    def reset(self) -> None:
        """Forget the stream; frames that still wait are lost."""
        for strand in self._strands.values():
            strand.close()
        self._strands.clear()
        self._waiting.clear()

    def _continues(self, job: CropInputs, window: Window) -> bool:
        strand = self._strands.get(job.key)
        return strand is not None and strand.following == window.number + window.keep.start

    def _finished(self) -> list[Frame]:
        frames = []
        while self._waiting and self._waiting[0].crops == 0:
            done = self._waiting.popleft()
            frames.append(replace(done.frame, patches=tuple(done.patches)))
        return frames


@dataclass(eq=False)
class _Waiting:
    """A frame on its way through the network."""

    frame: Frame
    crops: int
    """Crops whose answer has not come yet."""
    patches: list[Patch] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Shown:
    """What the network has been shown of a frame, until its answer comes."""

    crop: Crop
    image: NDArray[np.float32]
    hole: Mask
    detail: NDArray[np.float32] | None
    waiting: _Waiting | None
    """The frame that waits for the answer; None where it was shown only for what its neighbours learn from it."""

    def answer(self, fill: NDArray[np.float32]) -> None:
        """Hand the answer, (h, w, 3), to the frame that waits for it."""
        if self.waiting is not None:
            patch = make_patch(self.crop, self.image, self.hole, fill, self.waiting.frame, self.detail)
            self.waiting.patches += [] if patch is None else [patch]
            self.waiting.crops -= 1


class _Strand:
    """One crop's way through the network: frames without a gap, a step each."""

    def __init__(self, slot: Slot) -> None:
        self.following: int | None = None
        """The number in the stream of the frame that comes next; None before the first."""
        self._slot = slot
        self._shown: deque[_Shown | None] = deque()
        self._last: tuple[CropInputs, range] | None = None

    def push(self, window: Window, job: CropInputs, wanted: dict[int, _Waiting]) -> None:
        """Show the window's frames that have not been shown yet, up to the last that is kept."""
        self._last = job, range(window.keep.stop, len(window.frames))
        begin = job.first if self.following is None else window.keep.start
        for t in range(begin, window.keep.stop):
            self._show(job, t, wanted.get(t))
        self.following = window.number + window.keep.stop

    def end(self) -> None:
        """Get the answers that are still wanted: first with the frames that are known beyond them, then with none."""
        assert self._last is not None
        job, beyond = self._last
        if beyond and self._wanted():
            job = replace(job, arrays=job.whole())
        for t in beyond:
            if self._wanted():
                self._show(job, t, None)
        nothing = step_inputs(job.arrays, len(job.images) + 1)
        while self._wanted():
            self._step(nothing, None)

    def close(self) -> None:
        """Give the slot back; answers that still wait are lost."""
        self._slot.close()

    def _wanted(self) -> bool:
        return any(item is not None and item.waiting is not None for item in self._shown)

    def _show(self, job: CropInputs, t: int, waiting: _Waiting | None) -> None:
        place = t - job.first
        shown = _Shown(job.crop, job.images[place], job.holes[place], job.details[place], waiting)
        self._step(step_inputs(job.arrays, place), shown)

    def _step(self, inputs: dict[str, NDArray[np.float32]], shown: _Shown | None) -> None:
        fill = self._slot.push(inputs, shown is not None)
        self._shown.append(shown)
        if len(self._shown) > self._slot.delay:
            answered = self._shown.popleft()
            if answered is not None:
                answered.answer(fill.transpose(1, 2, 0))
