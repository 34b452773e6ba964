"""Known pixels carried into the hole along the flow, from both sides of a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.completion import pull_push, times
from ptfan.engine.errors import InputError
from ptfan.engine.flow import FlowPair, Step
from ptfan.engine.frame import Box, Mask, hole_box
from ptfan.engine.validity import pixel_axes

__all__ = ["Canvas", "Carrier", "CarryRules", "ColourCompletion", "carry", "known_pixels", "propagate"]

Canvas = NDArray[np.float32]
"""(H, W, 4): colour times confidence, and confidence."""
Picture = NDArray[np.float32]
"""(H, W, 3) RGB in [0, 1]."""
EVEN = 0.02
"""The most by which two kernels may differ in a pixel's confidence where the sharper one is to be believed."""
BEYOND = 3
"""Frames beyond those that are asked for with which made-up colours settle: what comes later counts for little."""
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
        if self._before is None or flow is None or valid is None:
            arrival = np.zeros((box.height, box.width, 4), np.float32)
        else:
            near = None if doubt is None else doubt[box.slices]
            kept = self.rules.kept(valid[box.slices] & hole[box.slices], near)
            arrival = _step(self._before, box, flow, kept, self.rules)
            arrival = _without_specks(arrival, hole[box.slices])
        self._before = canvas.copy()
        self._before[box.slices] += arrival
        return arrival


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
    before: Picture | None = None,
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
        before: the first frame as an earlier call filled it, (H, W, 3), for the others to settle with; it is filled
            anew if None.

    Returns:
        Filled frames (H, W, 3), and confidences (H, W): 1 at known pixels, 0 where nothing arrived.
    """
    wanted = wanted or len(images)
    canvases = _filled_canvases(images, holes, flows, past, rules)[: wanted + BEYOND]
    masks, confidences = holes[: len(canvases)], [canvas[..., 3].copy() for canvas in canvases]
    filled = [_completed(canvas) for canvas in canvases]
    new = 0 if before is None else 1
    if colours is not None:
        filled[new:] = colours(filled[new:], confidences[new:], masks[new:])
    if before is not None:
        filled[0] = before.copy()  # settling changes it
    steps, settling = flows[: len(canvases) - 1], (rules or CarryRules()).settling
    return _settled(filled, confidences, masks, steps, settling, wanted), confidences[:wanted]


def _filled_canvases(
    images: Sequence[Picture],
    holes: Sequence[Mask],
    flows: Sequence[FlowPair],
    past: Sequence[Canvas] | None,
    rules: CarryRules | None,
) -> list[Canvas]:
    """Return what is known of each frame, and in its hole what arrives there; arguments as for `propagate`."""
    canvases = [known_pixels(image, hole) for image, hole in zip(images, holes, strict=True)]
    if past is None:
        past = carry(canvases, holes, [pair.back for pair in flows], rules)
    future = carry(canvases[::-1], holes[::-1], [pair.ahead for pair in flows[::-1]], rules)[::-1]
    for canvas, hole, a, b in zip(canvases, holes, past, future, strict=True):
        box = hole_box(hole)
        if box is not None:
            canvas[box.slices] += _mixed(a, b)
    return canvases


def _settled(
    filled: list[Picture],
    confidences: Sequence[NDArray[np.float32]],
    holes: Sequence[Mask],
    flows: Sequence[FlowPair],
    settling: float,
    wanted: int,
) -> list[Picture]:
    """Mix made-up colours with those of the frames before and after, along the flow: the mean of one pass each way."""
    if not settling or not flows:
        return filled[:wanted]
    steps, ahead = [pair.back for pair in flows[: wanted - 1]], [pair.ahead for pair in flows[::-1]]
    onward = _settle(filled[:wanted], confidences[:wanted], holes[:wanted], steps, settling)
    backward = _settle(filled[::-1], confidences[::-1], holes[::-1], ahead, settling)[::-1]
    for one, other, hole in zip(onward, backward[:wanted], holes[:wanted], strict=True):
        box = hole_box(hole)
        if box is not None:  # outside of it both are the same
            part = one[box.slices]
            part[...] = cv2.addWeighted(part, 0.5, other[box.slices], 0.5, 0.0)
    return onward


def _settle(
    filled: Sequence[Picture],
    confidences: Sequence[NDArray[np.float32]],
    holes: Sequence[Mask],
    steps: Sequence[Step],
    settling: float,
) -> list[Picture]:
    """Mix each frame's made-up colours with the one before, which is settled already."""
    settled = [filled[0]]
    for picture, confidence, hole, (flow, valid, _) in zip(filled[1:], confidences[1:], holes[1:], steps, strict=True):
        box = hole_box(hole)
        if box is not None:
            before = cv2.remap(settled[-1], *_targets(box, flow), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            picture = picture.copy()
            part = picture[box.slices]
            guessed = settling * (1.0 - np.minimum(np.float32(1), SURE * confidence[box.slices]))
            part += times(before - part, guessed * (valid & hole)[box.slices])
        settled.append(picture)
    return settled


def _targets(box: Box, flow: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the x and the y that the flow leads to from each pixel of a box."""
    rows, columns = box.slices
    x, y = pixel_axes(*flow.shape[:2])
    u, v = np.ascontiguousarray(flow[rows, columns].transpose(2, 0, 1))
    return u + x[:, columns], v + y[rows]


def carry(
    canvases: Sequence[Canvas], holes: Sequence[Mask], steps: Sequence[Step], rules: CarryRules | None = None
) -> list[Canvas]:
    """Carry pixels one way through a clip; return what arrives in each hole, within its `hole_box`.

    Args:
        canvases: T frames' known pixels, see `known_pixels`, in the order in which they are met.
        holes: T masks (H, W).
        steps: T - 1; step t leads from frame t + 1 to the one met before it.
        rules: how confidence falls; the usual ones if None.
    """
    carrier = Carrier(rules)
    arrivals = [carrier.push(canvases[0], holes[0])]
    for canvas, hole, step in zip(canvases[1:], holes[1:], steps, strict=True):
        arrivals.append(carrier.push(canvas, hole, *step))
    return arrivals


def _step(before: Canvas, box: Box, flow: NDArray[np.float32], kept: NDArray[np.float32], rules: CarryRules) -> Canvas:
    """Return what the flow brings into the hole from the frame before, within the hole's box."""
    if not box.width:
        return np.zeros((0, 0, 4), np.float32)
    x, y = _targets(box, flow)
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
