"""Known pixels carried into the hole along the flow, from both sides of a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Box, Mask, hole_box
from ptfan.engine.prepare.completion import pull_push, times
from ptfan.engine.prepare.flow import FlowPair, Step
from ptfan.engine.prepare.light import SAME, Glimpse, Light
from ptfan.engine.prepare.validity import targets

__all__ = ["Canvas", "Carrier", "CarryRules", "ColourCompletion", "carry", "known_pixels", "propagate", "sureness"]

Canvas = NDArray[np.float32]
"""(H, W, 4): colour times confidence, and confidence."""
Picture = NDArray[np.float32]
"""(H, W, 3) RGB in [0, 1]."""
EVEN = 0.02
"""The most by which two kernels may differ in a pixel's confidence where the sharper one is to be believed."""
BEYOND = 3
"""Frames beyond those that are asked for with which made-up colours settle: what comes later counts for little."""
SEAM = 6
"""Frames over which the frames to come gain and lose their say in made-up colours, where one call follows another."""
ROW = 64
"""The least pixels to a row of those that are sampled sharply."""
ROWS = 1 << 14
"""The most of these rows: OpenCV samples fewer than 32,767."""
SURE = 1.5
"""Confidence times this, up to 1, is how far a carried colour stands by itself."""


@dataclass(frozen=True, kw_only=True)
class CarryRules:
    """How the confidence of a pixel that is carried along the flow falls."""

    decay: float = 0.97
    """What is left of it after one step, where the flow's error is expected to be zero."""
    caution: float = 0.2
    """By how much its logarithm falls further, for every pixel by which the flow is expected to be wrong."""
    blind: float = 0.9
    """What is left of it after one step where nothing is known of the flow's error."""
    faint: float = 0.05
    """Below this, a carried pixel is dropped."""
    sharp: bool = True
    """Sample by Lanczos' kernel of 8 x 8 pixels where all of these are known, instead of bilinearly: every step samples
    anew, and bilinear steps add up to a blur that is easily seen. Twenty times the work of a bilinear step, on what
    arrives in the hole alone."""
    lit: bool = True
    """Let what is carried follow the light where that changes; see `light_change`."""
    settling: float = 0.9
    """How much of a made-up colour is taken from the frame before and the frame after: what no frame shows is a guess,
    and guesses that differ from frame to frame flicker. 0 leaves every frame its own."""

    def __post_init__(self) -> None:
        for name in ("decay", "blind"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise InputError(f"carry rules: {name} is {getattr(self, name)}, expected more than 0, at most 1")
        if not 0.0 <= self.settling < 1.0:
            raise InputError(f"carry rules: settling is {self.settling}, expected 0 to below 1")
        if not 0.0 < self.faint < 1.0 or self.caution < 0.0:
            raise InputError(
                f"carry rules: faint is {self.faint} and caution {self.caution}, expected 0 to 1, and 0 or more"
            )

    def kept(self, valid: Mask, doubt: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """Return the share of its confidence that a pixel keeps on a step, (h, w).

        Args:
            valid: (h, w), True where the flow can be used.
            doubt: (h, w) pixels, the flow's expected error, if that is known.
        """
        if doubt is None:
            return np.asarray(valid * np.float32(self.blind))
        kept: NDArray[np.float32] = np.exp(doubt * np.float32(-self.caution)) * np.float32(self.decay)
        kept *= valid
        return kept


class Carrier:
    """Carries known pixels one way through a stream, a frame at a time: constant cost, and no end to its reach."""

    def __init__(self, rules: CarryRules | None = None) -> None:
        """Begin a stream."""
        self.rules = rules or CarryRules()
        self._before: Canvas | None = None
        self._glimpse: Glimpse | None = None
        self.light: Light | None = SAME
        """How the light has changed with the latest frame; None where nothing could be carried to it."""

    def push(
        self,
        canvas: Canvas,
        hole: Mask,
        flow: NDArray[np.float32] | None = None,
        valid: Mask | None = None,
        doubt: NDArray[np.float32] | None = None,
    ) -> Canvas:
        """Take the next frame; return what arrives in its hole, within `hole_box`.

        Args:
            canvas: the frame's known pixels, see `known_pixels`; left as it is.
            hole: (H, W).
            flow: (H, W, 2) pixels, from this frame to the one before; None begins a new stream.
            valid: (H, W), True where the flow can be used.
            doubt: (H, W) pixels, the flow's expected error.
        """
        box = hole_box(hole) or Box(0, 0, 0, 0)
        arrival = np.zeros((box.height, box.width, 4), np.float32)
        self._look(canvas, flow, valid)
        if self._before is not None and flow is not None and valid is not None and self.light is not None:
            near = None if doubt is None else doubt[box.slices]
            kept = self.rules.kept(valid[box.slices] & hole[box.slices], near)
            arrival = self.light.on(_step(self._before, box, flow, kept, self.rules))
            arrival = _without_specks(arrival, hole[box.slices])
        self._before = canvas.copy()
        self._before[box.slices] += arrival
        return arrival

    def _look(self, canvas: Canvas, flow: NDArray[np.float32] | None, valid: Mask | None) -> None:
        """See how the light has changed with a frame."""
        if not self.rules.lit:
            return
        before, self._glimpse = self._glimpse, Glimpse(canvas)
        self.light = SAME
        if before is not None and flow is not None and valid is not None:
            self.light = self._glimpse.light_since(before, flow, valid)


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


def sureness(confidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far carried colours of a confidence, 0 to 1, stand by themselves; the rest is a guess."""
    return np.asarray(np.minimum(np.float32(1), np.float32(SURE) * confidence))


def known_pixels(image: NDArray[np.float32], hole: Mask) -> Canvas:
    """Return a canvas with the known pixels at confidence 1, and nothing in the hole."""
    known = np.ascontiguousarray(~hole).view(np.uint8)
    return np.asarray(cv2.copyTo(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), known), np.float32)


def propagate(
    images: Sequence[NDArray[np.float32]],
    holes: Sequence[Mask],
    flows: Sequence[FlowPair],
    past: Sequence[Canvas] | None = None,
    rules: CarryRules | None = None,
    wanted: int | None = None,
    colours: ColourCompletion | None = None,
    before: tuple[int, Picture] | None = None,
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
        before: one of the frames as an earlier call filled it, by its place in `images` and as (H, W, 3), for those
            behind it to settle with; None where there is none.

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
        new = 0 if before is None else before[0] + 1
        filled[new:] = colours(filled[new:], confidences[new:], holes[new:count])
    settling = (rules or CarryRules()).settling
    if not settling or count == 1:
        return filled[:wanted], confidences[:wanted]
    sure = confidences.copy()
    if before is not None:
        place, picture = before
        filled[place], sure[place] = picture.copy(), np.ones_like(sure[place])  # nothing in it is a guess any more
    guesses = _Guesses(filled, sure, holes[:count], flows[: count - 1], lights[: count - 1])
    return guesses.settled(settling, wanted, None if before is None else before[0]), confidences[:wanted]


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


@dataclass(frozen=True, eq=False)
class _Guesses:
    """The frames of a clip with made-up colours that are still to settle."""

    filled: Sequence[Picture]
    """T pictures (H, W, 3)."""
    confidences: Sequence[NDArray[np.float32]]
    """T planes (H, W): what is sure does not take part."""
    holes: Sequence[Mask]
    """T masks (H, W)."""
    flows: Sequence[FlowPair]
    """T - 1 pairs."""
    lights: Sequence[Light | None]
    """T - 1: the light from each frame to the one before."""

    def settled(self, settling: float, wanted: int, begin: int | None) -> list[Picture]:
        """Mix made-up colours with those of the frames before and after, along the flow: a mean of one pass each way.

        Where an earlier call has settled a frame, or a later one will go on, the frames to come lose their say towards
        that place: the two calls know different ones, and the seam would be seen.

        Args:
            settling: how much is taken from the frame before.
            wanted: how many frames are asked for.
            begin: the place of a frame that has settled already; None where there is none.
        """
        onward, backward = list(self.filled[:wanted]), list(self.filled)
        for t in range(1, wanted):
            light = self.lights[t - 1]
            onward[t] = self._mixed(t, onward[t - 1], self.flows[t - 1].back, light and light.inverse, settling)
        for t in range(len(backward) - 2, -1, -1):
            backward[t] = self._mixed(t, backward[t + 1], self.flows[t].ahead, self.lights[t], settling)
        for t in range(wanted):
            box = hole_box(self.holes[t])
            if box is not None:  # outside of it both are the same
                part, share = onward[t][box.slices], self._share_to_come(t, wanted, begin)
                part[...] = cv2.addWeighted(part, 1.0 - share, backward[t][box.slices], share, 0.0)
        return onward

    def _share_to_come(self, t: int, wanted: int, begin: int | None) -> float:
        """Return the share of the pass that comes from the clip's end."""
        seam = min(SEAM, (wanted - 1 - (begin or 0)) // 4)
        since = 1.0 if begin is None or not seam else (t - begin) / (seam + 1)
        until = 1.0 if wanted == len(self.filled) or not seam else (wanted - t) / (seam + 1)
        return 0.5 * min(1.0, max(0.0, since), until)

    def _mixed(self, t: int, other: Picture, step: Step, light: Light | None, settling: float) -> Picture:
        """Return a frame whose made-up colours are mixed with those of its neighbour, which is settled already."""
        flow, valid, _ = step
        box = hole_box(self.holes[t])
        if box is None or light is None:
            return self.filled[t]
        seen = cv2.remap(other, *targets(flow, box), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        picture: Picture = self.filled[t].copy()
        part = picture[box.slices]
        guessed = settling * (1.0 - sureness(self.confidences[t][box.slices]))
        part += times(light.on_picture(seen) - part, guessed * (valid & self.holes[t])[box.slices])
        return picture


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
        arrivals.append(carrier.push(canvas, hole, *step))
        lights.append(carrier.light)
    return arrivals, lights


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
    # Rows of a picture, since OpenCV knows no lists; the last row is filled up with places that are there already.
    row = max(ROW, -(-places.size // ROWS))
    places = np.resize(places, (-(-places.size // row), row))
    sharp = cv2.remap(before, x.take(places), y.take(places), cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_CONSTANT)
    pixels = arrived.reshape(-1, 4)
    pixels[places] = _sharpened(pixels[places], sharp)


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
