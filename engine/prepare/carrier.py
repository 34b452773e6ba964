"""Known pixels carried one way along the flow, from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Mask, hole_box
from ptfan.engine.prepare.carry_rules import CarryRules
from ptfan.engine.prepare.completion import times
from ptfan.engine.prepare.flow import Step
from ptfan.engine.prepare.light import SAME, Glimpse, Light
from ptfan.engine.prepare.validity import targets

__all__ = ["Canvas", "Carrier", "carry", "known_pixels", "sampled_sharply"]

Canvas = NDArray[np.float32]
"""(H, W, 4): colour times confidence, and confidence."""
EVEN = 0.02
"""The most by which two kernels may differ in a pixel's confidence where the sharper one is to be believed."""
ROW = 64
"""The least pixels to a row of those that are sampled sharply."""
ROWS = 1 << 14
"""The most of these rows: OpenCV samples fewer than 32,767."""


class Carrier:
    """Carries known pixels one way through a stream, a frame at a time: constant cost, and no end to its reach."""

    def __init__(self, rules: CarryRules | None = None) -> None:
        """Begin a stream."""
        self.rules = rules or CarryRules()
        self._before: Canvas | None = None
        self._glimpse: Glimpse | None = None
        self.light: Light | None = SAME
        """How the light has changed with the latest frame; None where nothing could be carried to it."""

    def push(self, canvas: Canvas, hole: Mask, step: Step | None = None) -> Canvas:
        """Take the next frame; return what arrives in its hole, within `hole_box`.

        Args:
            canvas: the frame's known pixels, see `known_pixels`; left as it is.
            hole: (H, W).
            step: the flow from this frame to the one before; None begins a new stream.
        """
        box = hole_box(hole) or Box(0, 0, 0, 0)
        arrival = np.zeros((box.height, box.width, 4), np.float32)
        self._look(canvas, step)
        if self._before is not None and step is not None and self.light is not None:
            near = None if step.doubt is None else step.doubt[box.slices]
            kept = self.rules.kept(step.valid[box.slices] & hole[box.slices], near)
            arrival = self.light.on(_step(self._before, box, step.flow, kept, self.rules))
            arrival = _without_specks(arrival, hole[box.slices])
        self._before = canvas.copy()
        self._before[box.slices] += arrival
        return arrival

    def _look(self, canvas: Canvas, step: Step | None) -> None:
        """See how the light has changed with a frame."""
        if not self.rules.lit:
            return
        before, self._glimpse = self._glimpse, Glimpse(canvas)
        self.light = SAME
        if before is not None and step is not None:
            self.light = self._glimpse.light_since(before, step.flow, step.valid)


def carry(
    canvases: Sequence[Canvas], holes: Sequence[Mask], steps: Sequence[Step], rules: CarryRules | None = None
) -> tuple[list[Canvas], list[Light | None]]:
    """Carry pixels one way through a clip; return what arrives in each hole, within its `hole_box`, and the light.

    Args:
        canvases: T frames' known pixels, see `known_pixels`, in the order in which they are met.
        holes: T masks (H, W).
        steps: T - 1; step t leads from frame t + 1 to the one met before it.
        rules: how confidence falls; the usual ones if None.

    Returns:
        T arrivals, and how the light changes with each of the T - 1 steps; None where nothing could be carried.
    """
    carrier = Carrier(rules)
    arrivals, lights = [carrier.push(canvases[0], holes[0])], list[Light | None]()
    for canvas, hole, step in zip(canvases[1:], holes[1:], steps, strict=True):
        arrivals.append(carrier.push(canvas, hole, step))
        lights.append(carrier.light)
    return arrivals, lights


def known_pixels(image: NDArray[np.float32], hole: Mask) -> Canvas:
    """Return a canvas with the known pixels at confidence 1, and nothing in the hole."""
    known = np.ascontiguousarray(~hole).view(np.uint8)
    return np.asarray(cv2.copyTo(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), known), np.float32)


def _step(before: Canvas, box: Box, flow: NDArray[np.float32], kept: NDArray[np.float32], rules: CarryRules) -> Canvas:
    """Return what the flow brings into the hole from the frame before, within the hole's box."""
    if not box.width:
        return np.zeros((0, 0, 4), np.float32)
    x, y = targets(flow, box)
    arrived = cv2.remap(before, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    kept *= arrived[..., 3] * kept >= rules.faint
    if rules.sharp:
        _sharpen(arrived, before, x, y, np.flatnonzero(kept))
    return times(arrived, kept)


def _sharpen(
    arrived: Canvas, before: Canvas, x: NDArray[np.float32], y: NDArray[np.float32], places: NDArray[np.intp]
) -> None:
    """Sample some of what arrived once more, sharply, in place: the kernel is too dear for pixels that are dropped.

    Args:
        arrived: (h, w, 4), sampled bilinearly.
        before: (H, W, 4), what it was sampled from.
        x: (h, w), where.
        y: (h, w), where.
        places: (N,), the pixels of the flattened (h, w) that are wanted.
    """
    if not places.size:
        return
    places, sharp = sampled_sharply(before, x, y, places)
    pixels = arrived.reshape(-1, 4)
    pixels[places] = _sharpened(pixels[places], sharp)


def sampled_sharply(
    picture: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32], places: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Sample a picture by Lanczos' kernel of 8 x 8 pixels at some places; beyond its edges it is 0.

    Args:
        picture: (H, W) or (H, W, C).
        x: (h, w), where.
        y: (h, w), where.
        places: (N,), the pixels of the flattened (h, w) that are wanted, one at least.

    Returns:
        The places once more in rows, (r, c), some of them twice, and what was found there, (r, c) or (r, c, C).
    """
    # Rows of a picture, since OpenCV knows no lists; the last row is filled up with places that are there already.
    row = max(ROW, -(-places.size // ROWS))
    rows = np.resize(places, (-(-places.size // row), row))
    found = cv2.remap(picture, x.take(rows), y.take(rows), cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_CONSTANT)
    return rows, np.asarray(found, np.float32)


def _sharpened(smooth: Canvas, sharp: Canvas) -> Canvas:
    """Return the colours of `sharp` where its kernel saw pixels of much the same confidence: elsewhere it rings.

    The confidence stays that of `smooth`.
    """
    even = cv2.absdiff(sharp[..., 3], smooth[..., 3]) < EVEN
    scaled = times(sharp, smooth[..., 3] / np.maximum(sharp[..., 3], np.float32(EVEN)))
    return np.asarray(cv2.copyTo(scaled, even.view(np.uint8), smooth), np.float32)


def _without_specks(arrival: Canvas, hole: Mask) -> Canvas:
    """Drop what arrived in places too thin for a square of three pixels: stray pixels of something else, mostly."""
    there = ((arrival[..., 3] > 0) | ~hole).view(np.uint8)
    if not there.size:
        return arrival
    wide = cv2.copyMakeBorder(there, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)  # round the hole's box all is known
    opened = cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))[1:-1, 1:-1]
    return np.asarray(cv2.copyTo(arrival, np.ascontiguousarray(opened)), np.float32)
