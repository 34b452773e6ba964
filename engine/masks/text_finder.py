"""Where text stands in a frame: captions and subtitles that were laid over a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.closing import Closing
from ptfan.engine.frame import Box, Image, Mask
from ptfan.engine.masks.shaping import grow_hole
from ptfan.engine.models import TEXT_MODEL
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.runner import Runner

__all__ = ["MULTIPLE", "TextFinder"]

MULTIPLE = 16
"""Height and width of what the network sees are multiples of this."""
SHORT_SIDE = 480
"""The shorter side that larger frames are reduced to for the network: it knows letters of up to some 60 pixels."""
REACH = 16
"""Pixels round a box that the network sees as well, of the frame as it sees it."""
GROWN = 1
"""Pixels, likewise, by which what it finds is grown: the last of a soft edge stays visible on a new background."""

View = NDArray[np.float32]
"""(1, 3, h, w), RGB in [0, 1]: a part of a frame as the network sees it."""


class TextFinder(Closing):
    """Finds text in some boxes of a video's frames; it remembers how they looked in the frame before."""

    @classmethod
    def open(cls, model: Path = TEXT_MODEL) -> TextFinder:
        """Open a network, the one that comes with the package by default.

        Raises:
            MissingExtraError: no backend is installed.
            ModelError: the network finds no text.
        """
        return cls(open_runner(model, backend="onnxruntime", threads=1))  # small, and in a thread of its own

    def __init__(self, runner: Runner) -> None:
        """Use a loaded network, which is closed with this.

        Raises:
            ModelError: the network finds no text.
        """
        runner.spec.check_form("text")
        self._runner = runner
        self._last: tuple[int, list[View]] | None = None

    def find(self, image: Image, boxes: Sequence[Box], index: int) -> Mask:
        """Return where text is.

        Args:
            image: (H, W, 3) RGB, uint8 or uint16.
            boxes: where to look for it; they lie within the frame, and are always the same.
            index: the frame's place in the video. What the frame before showed counts if it was the last one here.

        Returns:
            (H, W), True on letters, their outlines, shadows and plates.
        """
        height, width = image.shape[:2]
        regions = [_Region.round(box, width, height) for box in boxes]
        views = [region.view(image) for region in regions]
        before = self._before(index, views)
        self._last = index, views
        found = np.zeros((height, width), np.bool_)
        for region, view, earlier in zip(regions, views, before, strict=True):
            score = self._runner.run({"picture": view, "before": earlier})["score"]
            found[region.box.slices] |= region.text(score)
        return found

    def close(self) -> None:
        """Release the network."""
        self._runner.close()

    def _before(self, index: int, views: list[View]) -> list[View]:
        """Return what the frame before showed; this one again where that is not known."""
        if self._last is None or self._last[0] != index - 1:
            return views
        last = self._last[1]
        return last if [view.shape for view in last] == [view.shape for view in views] else views


@dataclass(frozen=True)
class _Region:
    """A box and some of what is round it."""

    box: Box
    """Where text is looked for."""
    seen: Box
    """What the network sees."""
    size: tuple[int, int]
    """(width, height) at which it sees it, pixels."""
    scale: float
    """Pixels of what it sees to a pixel of the frame."""

    @classmethod
    def round(cls, box: Box, width: int, height: int) -> _Region:
        """Return the region round a box of a frame of some size."""
        scale = min(1.0, SHORT_SIDE / min(width, height))
        seen = box.grown(round(REACH / scale), Box(0, 0, width, height))
        return cls(box, seen, (max(1, round(seen.width * scale)), max(1, round(seen.height * scale))), scale)

    def view(self, image: Image) -> View:
        """Return it of a frame, its outermost pixels repeated up to the network's multiple."""
        part = image[self.seen.slices]
        if part.shape[1::-1] != self.size:
            part = np.asarray(cv2.resize(part, self.size, interpolation=cv2.INTER_AREA))
        width, height = self.size
        padded = cv2.copyMakeBorder(part, 0, -height % MULTIPLE, 0, -width % MULTIPLE, cv2.BORDER_REPLICATE)
        planes = padded.transpose(2, 0, 1)[None] * np.float32(1.0 / np.iinfo(image.dtype).max)
        return np.ascontiguousarray(planes, np.float32)

    def text(self, score: NDArray[Any]) -> Mask:
        """Return where text is in the box, of the network's scores (1, 1, h, w)."""
        width, height = self.size
        shown = np.ascontiguousarray(score[0, 0, :height, :width], np.float32)
        if shown.shape != (self.seen.height, self.seen.width):
            shown = np.asarray(cv2.resize(shown, (self.seen.width, self.seen.height), interpolation=cv2.INTER_LINEAR))
        found = grow_hole(shown > 0, round(GROWN / self.scale))
        return found[self.box.seen_from(self.seen).slices]
