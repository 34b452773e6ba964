"""Scene cuts, found on known pixels alone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Image, Mask

__all__ = ["CutDetector"]

GRID = (16, 9)
"""Blocks (columns, rows) whose mean colours are compared: coarse, so that motion changes them little."""
SAMPLES = 10
"""Pixels to a block's side that are looked at, at least: enough for a mean, whatever the frame's size."""
JUMP = 0.09
"""Mean change of the blocks' colours, in [0, 1], that can be a cut."""
CONTRAST = 3.0
"""A cut's change is at least so many times the usual change of the scene."""
USUAL = 0.05
"""The usual change that is assumed at the start of a stream."""
FADING = 0.8
"""What is left, a frame later, of a change that was usual."""
AFTER_CUT = 0.4
"""A cut's change, times this, is the usual one after it: flashes and strobes do not make a scene of every frame."""
KNOWN_SHARE = 0.25
"""A block counts if at least this share of it is known."""


class CutDetector:
    """Tells where a new scene begins: the blocks' mean colours jump, far more than they did before."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._blocks: NDArray[np.float32] | None = None
        self._usable: Mask | None = None
        self._usual = USUAL

    def push(self, image: Image, hole: Mask) -> bool:
        """Take the next frame; return True if it begins a new scene.

        Args:
            image: (H, W, 3) uint8 or uint16; what stands in the hole has no influence.
            hole: (H, W).
        """
        blocks, usable = _blocks(image, hole)
        change = self._change(blocks, usable)
        self._blocks, self._usable = blocks, usable
        cut = change > max(JUMP, CONTRAST * self._usual)
        self._usual = AFTER_CUT * change if cut else max(FADING * self._usual, change)
        return cut

    def _change(self, blocks: NDArray[np.float32], usable: Mask) -> float:
        """Return the mean change of the blocks that count in this frame and the one before; 0 if there are none."""
        if self._blocks is None or self._usable is None:
            return 0.0
        both = usable & self._usable
        return float(np.abs(blocks - self._blocks)[both].mean()) if both.any() else 0.0


def _blocks(image: Image, hole: Mask) -> tuple[NDArray[np.float32], Mask]:
    """Return the blocks' mean colours (9, 16, 3) over their known pixels, in [0, 1], and which blocks count."""
    step = max(1, min(image.shape[1] // (GRID[0] * SAMPLES), image.shape[0] // (GRID[1] * SAMPLES)))
    peak = np.float32(np.iinfo(image.dtype).max)
    known = np.ascontiguousarray(~hole[::step, ::step]).view(np.uint8)
    visible = cv2.copyTo(np.ascontiguousarray(image[::step, ::step]), known)
    means = cv2.resize(visible, GRID, interpolation=cv2.INTER_AREA).astype(np.float32) / peak
    share = cv2.resize(known.astype(np.float32), GRID, interpolation=cv2.INTER_AREA)
    usable: Mask = share >= KNOWN_SHARE
    return means / np.maximum(share, np.float32(KNOWN_SHARE))[..., None], usable
