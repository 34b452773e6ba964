"""What the network makes of windows: the contract, and the way that shows it a whole window at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Frame, Mask, Patch, hole_box
from ptfan.engine.prepare.crop import Crop
from ptfan.engine.prepare.crop_view import CropInputs
from ptfan.engine.prepare.preparer import Window
from ptfan.engine.runners.runner import Runner

__all__ = ["Filler", "WindowFiller", "make_patch"]


class Filler(Protocol):
    """Windows in, finished frames out, in order."""

    def infer(self, window: Window) -> list[Frame]:
        """Take the next window; return the frames that are finished."""

    def finish(self) -> list[Frame]:
        """Return the frames that still wait; the next window begins a new stream."""

    def reset(self) -> None:
        """Forget the stream; frames that still wait are lost."""


class WindowFiller:
    """Runs a clip model on each window: its kept frames are finished at once, and nothing is remembered."""

    def __init__(self, runner: Runner) -> None:
        """Use a loaded model of the clip form; it is not closed here."""
        self._runner = runner

    def infer(self, window: Window) -> list[Frame]:
        """Return the window's kept frames with their patches."""
        patches: dict[int, list[Patch]] = {t: [] for t in window.keep}
        for job in window.crops:
            fill = self._fill(job)
            for t in window.keep:
                at = t - job.first
                patch = make_patch(job.crop, job.images[at], job.holes[at], fill[at], window.frames[t], job.details[at])
                if patch is not None:
                    patches[t].append(patch)
        return [replace(window.frames[t], patches=tuple(patches[t])) for t in window.keep]

    def finish(self) -> list[Frame]:
        """Return nothing: no frame waits."""
        return []

    def reset(self) -> None:
        """Do nothing: nothing is remembered."""

    def _fill(self, job: CropInputs) -> NDArray[np.float32]:
        """Return the network's answer, (T, h, w, 3)."""
        arrays, count = job.arrays, len(job.images)
        fixed = self._runner.spec.fixed_window
        if fixed is not None and fixed > count:
            # Frames beyond the end repeat the last one; their flow entries are invalid.
            arrays = {
                name: np.concatenate([array, *[_beyond(name, array)] * (fixed - count)])
                for name, array in arrays.items()
            }
        fill: NDArray[np.float32] = self._runner.run(arrays)["fill"][:count].transpose(0, 2, 3, 1)
        return fill


def make_patch(
    crop: Crop,
    image: NDArray[np.float32],
    hole: Mask,
    fill: NDArray[np.float32],
    frame: Frame,
    detail: NDArray[np.float32] | None = None,
) -> Patch | None:
    """Return what the network puts into a frame's hole within a crop, at the source's resolution.

    Args:
        crop: the region.
        image: what it shows at working size, (h, w, 3).
        hole: the hole at working size, (h, w).
        fill: the network's answer, (h, w, 3).
        frame: the frame itself.
        detail: what is added to luminance in the box round the hole, at the source's resolution; nothing if None.

    Returns:
        The patch; None if the crop shows nothing of the frame's hole.
    """
    box = crop.box
    inner = hole_box(frame.hole[box.slices])
    if inner is None:
        return None
    planes = [np.ascontiguousarray(fill[..., channel]) for channel in range(3)]
    filled = np.asarray(cv2.copyTo(cv2.merge(planes), hole.view(np.uint8), image.copy()), np.float32)
    pixels = crop.restore(filled)[inner.slices]
    if detail is not None:
        pixels = np.asarray(cv2.add(pixels, cv2.merge([detail] * 3)), np.float32)
    return Patch(Box(box.x + inner.x, box.y + inner.y, inner.width, inner.height), np.ascontiguousarray(pixels))


def _beyond(name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.zeros_like(array[-1:]) if name.startswith(("flow", "validity")) else array[-1:]
