"""How the light changes from frame to frame: fades, exposure and flicker, seen in what both frames show."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.validity import pixel_axes

__all__ = ["SAME", "Glimpse", "Light", "light_change"]

Array = NDArray[np.float32]
CELL = 8
"""Pixels to a side of the cells whose means are compared: noise and small errors of the flow have gone from these."""
ACROSS = 16
"""The least cells across a picture: in a small one they are smaller, else hardly one fits between its hole and edge."""
WHOLE = 0.999
"""The least share of a cell that must be known."""
CELLS = 12
"""Fewer cells, or pixels, than this tell nothing."""
FLAT = 1 / 255
"""A picture whose pixels deviate by less from their mean shows nothing that could be carried on: it is black, or plain.
Cells that deviate by less tell no gain."""
SPARSE = 4
"""Every so-many-th pixel along each axis tells whether a picture shows anything."""
EXPLAINED = 0.2
"""The least share of what has changed that one gain and one offset must explain: else it is no change of light. In a
slow fade over something that moves, most of what changes from frame to frame is motion that the flow has missed."""
CHANCE = 8
"""At least this over the number of cells must be explained as well: of few cells, chance explains as much."""
SLIGHT = 0.15 / 255
"""Changes below this are none."""
GAINS = 0.2, 5.0
"""Gains outside of these are cut off."""


@dataclass(frozen=True, eq=False)
class Light:
    """What becomes of a colour from one frame to another: `gain` times it, and `offset`."""

    gain: Array
    """(3,) RGB."""
    offset: Array
    """(3,) RGB, of 1."""

    def on(self, canvas: Array) -> Array:
        """Return a canvas (H, W, 4), colour times confidence and confidence, in this light."""
        if self is SAME or not canvas.size:
            return canvas
        # Colours are multiplied by their confidence: so is the offset.
        matrix = np.zeros((4, 4), np.float32)
        matrix[:3, :3] = np.diag(self.gain)
        matrix[:3, 3], matrix[3, 3] = self.offset, 1
        lit = cv2.transform(canvas, matrix)
        np.clip(lit, 0.0, canvas[..., 3:], out=lit)
        return np.asarray(lit, np.float32)

    def on_picture(self, picture: Array) -> Array:
        """Return a picture (H, W, 3) in [0, 1] in this light."""
        if self is SAME:
            return picture
        return np.asarray(np.clip(picture * self.gain + self.offset, 0.0, 1.0), np.float32)

    @property
    def inverse(self) -> Light:
        """The way back."""
        if self is SAME:
            return self
        gain = np.asarray(np.clip(1 / self.gain, *GAINS), np.float32)
        return Light(gain, -self.offset * gain)


SAME = Light(np.ones(3, np.float32), np.zeros(3, np.float32))
"""No change."""


class Glimpse:
    """A frame's known pixels, in cells."""

    def __init__(self, canvas: Array) -> None:
        """Look at a canvas (H, W, 4), colour times confidence and confidence; what is not known does not count."""
        height, width = canvas.shape[:2]
        self._frame = height, width
        cell = max(1, min(CELL, min(height, width) // ACROSS))
        size = max(1, width // cell), max(1, height // cell)
        self._cells = np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), np.float32)
        few = np.ascontiguousarray(canvas[::SPARSE, ::SPARSE])
        known = few[..., 3] == 1
        _, spread = cv2.meanStdDev(few, mask=known.view(np.uint8))
        self.plain = bool(np.count_nonzero(known) >= CELLS and np.max(spread[:3]) < FLAT)
        """Whether all that is known is of one colour."""

    def light_since(self, before: Glimpse, flow: Array, valid: Mask) -> Light | None:
        """Return how the light has changed since another frame; None where nothing can be carried from there.

        The arguments are those of `since`.
        """
        if self.plain or before.plain:
            return None
        return light_change(*self.since(before, flow, valid))

    def since(self, before: Glimpse, flow: Array, valid: Mask) -> tuple[Array, Array]:
        """Return the cells that this frame and another one show both: (N, 3) then, and (N, 3) now.

        Args:
            before: the other frame.
            flow: (H, W, 2) pixels, from this frame to the other.
            valid: (H, W), True where the flow can be used.
        """
        (height, width), (rows, columns) = self._frame, self._cells.shape[:2]
        y, x = (np.arange(n) * side // n + side // (2 * n) for n, side in ((rows, height), (columns, width)))
        across, down = pixel_axes(rows, columns)
        step = flow[y[:, None], x] * np.array([columns / width, rows / height], np.float32)
        # Sampling between cells takes contrast away. Half of the way between them is left to each frame, so that both
        # lose the same: else a fade would lose less than it does.
        here = (np.rint(step) - step) / 2
        there = here + step
        now, then = (
            cv2.remap(glimpse._cells, places[..., 0] + across, places[..., 1] + down, cv2.INTER_LINEAR)
            for glimpse, places in ((self, here), (before, there))
        )
        both = (np.minimum(then[..., 3], now[..., 3]) > WHOLE) & valid[y[:, None], x]
        return then[both][:, :3], now[both][:, :3]


def light_change(then: Array, now: Array) -> Light:
    """Return how the light has changed, from (N, 3) colours of the same places before and after it did.

    Both colours' means and deviations are matched: unlike a regression, this does not lose contrast to noise. It is
    `SAME` where too little is seen of both, or what has changed is something else.
    """
    if len(then) < CELLS:
        return SAME
    (mean, new_mean), (spread, new_spread) = ([part.mean(axis=0) for part in (then, now)], [then.std(0), now.std(0)])
    if max(spread) < FLAT or max(new_spread) < FLAT:
        return SAME
    gain = np.clip(np.maximum(new_spread, FLAT / 4) / np.maximum(spread, FLAT / 4), *GAINS).astype(np.float32)
    offset = new_mean - gain * mean
    changed, left = np.square(now - then).mean(), np.square(now - gain * then - offset).mean()
    if changed < SLIGHT**2 or left > (1 - max(EXPLAINED, CHANCE / len(then))) * changed:
        return SAME
    return Light(gain, offset)
