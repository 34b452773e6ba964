"""Scene cuts, found on known pixels alone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Image, Mask

__all__ = ["CutDetector"]

GRID = (16, 9)
"""Blocks (columns, rows) whose mean colours are compared: coarse, so that motion changes them little."""
JUMP = 0.09
"""Mean change of the blocks' colours, in [0, 1], that can be a cut."""
CONTRAST = 3.0
"""A cut's change is at least so many times the usual change of the scene."""
KNOWN_SHARE = 0.25
"""A block counts if at least this share of it is known."""


class CutDetector:
    """Tells where a new scene begins: the blocks' mean colours jump, far more than they did before."""

    def __init__(self) -> None:
        self._blocks: NDArray[np.float32] | None = None
        self._usable: Mask | None = None
        self._usual: float | None = None

    def push(self, image: Image, hole: Mask) -> bool:
        """Take the next frame; return True if it begins a new scene.

        Args:
            image: (H, W, 3) uint8 or uint16; what stands in the hole has no influence.
            hole: (H, W).
        """
        blocks, usable = _blocks(image, hole)
        change = self._change(blocks, usable)
        cut = change is not None and change > JUMP and (self._usual is None or change > CONTRAST * self._usual)
        if cut or change is None:
            self._usual = None
        else:
            self._usual = change if self._usual is None else max(0.8 * self._usual, change)
        self._blocks, self._usable = blocks, usable
        return cut

    def reset(self) -> None:
        """Forget the stream."""
        self._blocks = self._usable = self._usual = None

    def _change(self, blocks: NDArray[np.float32], usable: Mask) -> float | None:
        if self._blocks is None or self._usable is None or self._blocks.shape != blocks.shape:
            return None
        both = usable & self._usable
        return float(np.abs(blocks - self._blocks)[both].mean()) if both.any() else None


def _blocks(image: Image, hole: Mask) -> tuple[NDArray[np.float32], Mask]:
    """Return the blocks' mean colours (9, 16, 3) over their known pixels, in [0, 1], and which blocks count."""
    peak = np.float32(np.iinfo(image.dtype).max)
    known = (~hole).astype(np.uint8)
    share = cv2.resize(known.astype(np.float32), GRID, interpolation=cv2.INTER_AREA)
    visible = image if known.all() else image * known[..., None].astype(image.dtype)
    means = cv2.resize(visible, GRID, interpolation=cv2.INTER_AREA).astype(np.float32) / peak
    usable: Mask = share >= KNOWN_SHARE
    return means / np.maximum(share, np.float32(KNOWN_SHARE))[..., None], usable
