"""The learned completion of colours that no frame shows: a small network on each picture, at a quarter of its size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask, hole_box
from ptfan.engine.runners.runner import Runner

__all__ = ["MULTIPLE", "REDUCTION", "LearnedColours", "colour_inputs"]

REDUCTION = 4
"""The network works at 1 / REDUCTION of the pictures' size."""
MULTIPLE = 16
"""Height and width of what the network sees are multiples of this."""

Array = NDArray[np.float32]


class LearnedColours:
    """A colour completion that adds a network's answer to what was carried into the holes and smoothly completed.

    The answer is as coarse as what the network sees: what was carried keeps its detail.
    """

    def __init__(self, runner: Runner) -> None:
        """Use a loaded network, which its owner closes.

        Raises:
            ModelError: the network completes no colours.
        """
        runner.spec.check_form("colour")
        self.runner = runner

    def __call__(self, pictures: Sequence[Array], confidences: Sequence[Array], holes: Sequence[Mask]) -> list[Array]:
        """Return T pictures (H, W, 3); outside of the holes they stay as they are."""
        completed = list(pictures)
        places = [t for t, hole in enumerate(holes) if hole.any()]
        if not places:
            return completed
        shown = colour_inputs(
            [pictures[t] for t in places], [confidences[t] for t in places], [holes[t] for t in places]
        )
        answer = self.runner.run(shown)["completed"] - shown["picture"]
        for t, added in zip(places, answer, strict=True):
            completed[t] = _with(pictures[t], added, holes[t])
        return completed


def colour_inputs(
    pictures: Sequence[Array], confidences: Sequence[Array], holes: Sequence[Mask]
) -> dict[str, NDArray[np.float32]]:
    """Return what the network is shown, at a quarter of the size; the outermost pixels are repeated up to its multiple.

    Args:
        pictures: T pictures (H, W, 3), RGB in [0, 1], filled in the holes.
        confidences: T planes (H, W), how far what fills the holes is known; 1 outside.
        holes: T masks (H, W).

    Returns:
        `picture` (T, 3, h, w); `confidence` (T, 1, h, w); `hole` (T, 1, h, w), the share of each pixel that is hole.
    """
    size = _reduced_size(holes[0])
    colours = [_reduced(picture, size) for picture in pictures]
    planes = [
        _reduced(cv2.merge([confidence, hole.astype(np.float32)]), size)
        for confidence, hole in zip(confidences, holes, strict=True)
    ]
    shown = np.concatenate((np.stack(colours), np.stack(planes)), axis=3).transpose(0, 3, 1, 2)
    return {"picture": shown[:, :3], "confidence": shown[:, 3:4], "hole": shown[:, 4:]}


def _reduced_size(hole: Mask) -> tuple[int, int]:
    """Return the (width, height) at which the network sees a picture, without what is repeated at its edges."""
    height, width = hole.shape
    return max(1, round(width / REDUCTION)), max(1, round(height / REDUCTION))


def _reduced(array: Array, size: tuple[int, int]) -> Array:
    return _padded(np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.float32))


def _padded(array: Array) -> Array:
    """Repeat the outermost pixels at the right and at the bottom."""
    bottom, right = (-side % MULTIPLE for side in array.shape[:2])
    return np.asarray(cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.float32)


def _with(picture: Array, added: Array, hole: Mask) -> Array:
    """Return a picture (H, W, 3) with what is added (3, h, w), enlarged, in its hole."""
    columns, rows = _reduced_size(hole)
    coarse = np.ascontiguousarray(added[:, :rows, :columns].transpose(1, 2, 0))
    box = hole_box(hole)
    assert box is not None
    fine = cv2.resize(coarse, hole.shape[::-1], interpolation=cv2.INTER_LINEAR)[box.slices]
    completed: Array = picture.copy()
    part = completed[box.slices]
    inside = hole[box.slices]
    part[inside] = np.clip(part[inside] + fine[inside], 0.0, 1.0)
    return completed
