"""Known pixels carried into the hole along the flow, from both sides of a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask, hole_box
from ptfan.engine.prepare.carrier import Canvas, carry, known_pixels
from ptfan.engine.prepare.carry_rules import CarryRules
from ptfan.engine.prepare.completion import pull_push, times
from ptfan.engine.prepare.flow import FlowPair
from ptfan.engine.prepare.light import Light
from ptfan.engine.prepare.settling import Guesses, Picture, Settled

__all__ = ["ColourCompletion", "propagate"]

BEYOND = 3
"""Frames beyond those that are asked for with which made-up colours settle: what comes later counts for little."""


class ColourCompletion(Protocol):
    """Anything that decides on the colours inside holes that no frame shows."""

    def __call__(
        self, pictures: Sequence[Picture], confidences: Sequence[NDArray[np.float32]], holes: Sequence[Mask]
    ) -> list[Picture]:
        """Return T pictures (H, W, 3) with other colours in the holes.

        Args:
            pictures: T pictures (H, W, 3), RGB in [0, 1], filled in the holes; smoothly where nothing was carried.
            confidences: T planes (H, W), how far what fills the holes is known: 1 outside of them, 0 where nothing was.
            holes: T masks (H, W).
        """


def propagate(
    images: Sequence[NDArray[np.float32]],
    holes: Sequence[Mask],
    flows: Sequence[FlowPair],
    past: Sequence[Canvas] | None = None,
    rules: CarryRules | None = None,
    wanted: int | None = None,
    colours: ColourCompletion | None = None,
    before: Settled | None = None,
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Fill holes with the pixels that neighbouring frames show there; the rest is made up.

    A known pixel steps from frame to frame along the completed flow while that is valid, losing confidence at every
    step. Arrivals from the past and from the future are mixed by the square of their confidence. What nothing arrives
    in is completed smoothly, then by `colours`, and settles over time.

    Args:
        images: T frames (H, W, 3), RGB in [0, 1]; what stands in the holes has no influence.
        holes: T masks (H, W).
        flows: T - 1 pairs; pair t lies between frames t and t + 1.
        past: what arrives in each hole from the past, as a `Carrier` returned it, where the stream began before these
            frames; carried from the first of them if None.
        rules: how confidence falls; the usual ones if None.
        wanted: how many of the frames are asked for, from the first; all if None.
        colours: what completes the colours that no frame shows; they stay smooth if None.
        before: one of the frames as an earlier call filled it; None where there is none.

    Returns:
        Filled frames (H, W, 3), and confidences (H, W): 1 at known pixels, 0 where nothing arrived.
    """
    wanted = wanted or len(images)
    canvases, lights = _filled_canvases(images, holes, flows, past, rules)
    canvases = canvases[: wanted + BEYOND]
    count = len(canvases)
    confidences = [canvas[..., 3].copy() for canvas in canvases]
    filled = [_completed(canvas) for canvas in canvases]
    if colours is not None:
        new = 0 if before is None else before.place + 1
        filled[new:] = colours(filled[new:], confidences[new:], holes[new:count])
    settling = (rules or CarryRules()).settling
    if not settling or count == 1:
        return filled[:wanted], confidences[:wanted]
    sure = confidences.copy()
    if before is not None:
        filled[before.place] = before.picture.copy()
        sure[before.place] = np.ones_like(sure[before.place])  # nothing in it is a guess any more
    guesses = Guesses(filled, sure, holes[:count], flows[: count - 1], lights[: count - 1])
    return guesses.settled(settling, wanted, None if before is None else before.place), confidences[:wanted]


def _filled_canvases(
    images: Sequence[Picture],
    holes: Sequence[Mask],
    flows: Sequence[FlowPair],
    past: Sequence[Canvas] | None,
    rules: CarryRules | None,
) -> tuple[list[Canvas], list[Light | None]]:
    """Return what is known of each frame, and what arrives in its hole; and the light from each to the one before.

    The arguments are those of `propagate`.
    """
    canvases = [known_pixels(image, hole) for image, hole in zip(images, holes, strict=True)]
    if past is None:
        past, _ = carry(canvases, holes, [pair.back for pair in flows], rules)
    future, lights = carry(canvases[::-1], holes[::-1], [pair.ahead for pair in flows[::-1]], rules)
    for canvas, hole, a, b in zip(canvases, holes, past, future[::-1], strict=True):
        box = hole_box(hole)
        if box is not None:
            canvas[box.slices] += _mixed(a, b)
    return canvases, lights[::-1]


def _mixed(past: Canvas, future: Canvas) -> Canvas:
    """Mix two arrivals: plain colour, and the larger confidence."""
    # Both hold colour x confidence: weighting them by confidence once more squares it.
    mixed = times(past, past[..., 3]) + times(future, future[..., 3])
    mixed /= cv2.merge([np.maximum(mixed[..., 3], np.float32(1e-6))] * 4)
    mixed[..., 3] = np.maximum(past[..., 3], future[..., 3])
    return mixed


def _completed(canvas: Canvas) -> NDArray[np.float32]:
    """Return the canvas's colours, completed where nothing arrived."""
    # With the confidence beside them, which nobody reads then: OpenCV scales four channels much faster than three.
    return np.asarray(cv2.cvtColor(pull_push(canvas, canvas[..., 3] > 0), cv2.COLOR_RGBA2RGB), np.float32)
