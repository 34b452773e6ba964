"""The shapes of random holes. Each is drawn once, by chance, and can then be had in any size.

Every function returns a `Draw`: the same shape with the same motion, at a scale that its caller chooses. The larger the
scale, the larger the hole, so that a wanted area can be searched for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Canvas", "Draw", "Track", "blobs", "boxes", "pasted", "strokes", "text"]

Rng = np.random.Generator
Canvas = NDArray[np.uint8]
"""(H, W), not 0 in the hole."""
Draw = Callable[[float], list[Canvas]]
"""From a scale (1 is the usual size) to one canvas for each frame."""
Track = NDArray[np.uint8]
"""(T, H, W) the ids of a real clip's objects; 0 is the background."""
SPEEDS = (1.0, 3.0)
"""Standard deviations of the pixels that a moving shape goes in a frame."""
LETTERS = tuple("abcdefghijklmnopqrstuvwxyzABCDEFGH ,.!?0123")
MOST_LINES = 8
MOST_STROKES = 16


def strokes(rng: Rng, frames: int, height: int, width: int, still: float) -> Draw:
    """Draw brush strokes (free-form masks) that move as one; larger means more of them, then thicker ones.

    Args:
        rng: what decides.
        frames: how many frames.
        height: of the frame, pixels.
        width: of the frame, pixels.
        still: probability that they stand still.
    """
    lines = [_path(rng, int(rng.integers(4, 10)), height, width, 0.12 * width) for _ in range(MOST_STROKES)]
    usual = int(rng.integers(1, 4))
    thickness = rng.uniform(0.05, 0.14) * min(height, width)
    shifts = _path(rng, frames, height, width, _speed(rng, still))

    def draw(scale: float) -> list[Canvas]:
        count = int(np.clip(round(usual * scale), 1, MOST_STROKES))
        brush = max(1, round(thickness * scale * usual / count))
        canvases = []
        for shift in shifts - shifts[0]:
            canvas = np.zeros((height, width), np.uint8)
            chosen = [np.rint(points + shift).astype(np.int32) for points in lines[:count]]
            cv2.polylines(canvas, chosen, False, 1, brush)
            canvases.append(canvas)
        return canvases

    return draw


def blobs(rng: Rng, frames: int, height: int, width: int, still: float) -> Draw:
    """Draw one to three shapes with wavy outlines that move, turn and change slowly; arguments as for `strokes`."""
    return _union([_blob(rng, frames, height, width, still) for _ in range(rng.integers(1, 4))])


def _blob(rng: Rng, frames: int, height: int, width: int, still: float) -> Draw:
    angles = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    size = rng.uniform(0.08, 0.3) * min(height, width)
    stretch = np.array([rng.uniform(0.6, 1.6), rng.uniform(0.6, 1.6)])
    waves = [(k, rng.normal(0.0, 0.25 / k), rng.uniform(0, 2 * np.pi)) for k in range(1, 6)]
    spin, drift = rng.normal(0.0, 0.03), rng.normal(0.0, 0.1)
    speed = _speed(rng, still)
    polygons = []
    for t in range(frames):
        time = t if speed else 0
        radius = size * np.maximum(0.3, 1.0 + sum(a * np.cos(k * angles + p + drift * k * time) for k, a, p in waves))
        turned = angles + spin * time
        polygons.append(np.stack([radius * np.cos(turned), radius * np.sin(turned)], axis=-1) * stretch)
    return _moved(_path(rng, frames, height, width, speed), height, width, polygons)


def boxes(rng: Rng, frames: int, height: int, width: int, still: float) -> Draw:
    """Draw one or two boxes: logos and watermarks, mostly; arguments as for `strokes`."""
    layers = []
    for _ in range(rng.integers(1, 3)):
        half = rng.uniform((0.06 * width, 0.06 * height), (0.25 * width, 0.25 * height))
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        path = _path(rng, frames, height, width, _speed(rng, still))
        layers.append(_moved(path, height, width, [corners] * frames))
    return _union(layers)


def text(rng: Rng, frames: int, height: int, width: int, still: float) -> Draw:
    """Draw stationary lines of letters, as subtitles; the mask hugs the letters or covers their strip.

    Arguments as for `strokes`, but text always stands still.
    """
    lines = [_line(rng, height, width) for _ in range(MOST_LINES)]
    usual = int(rng.integers(1, 3))
    strip = rng.random() < 0.3

    def draw(scale: float) -> list[Canvas]:
        count = int(np.clip(round(usual * scale), 1, MOST_LINES))
        size = scale * usual / count
        canvas = np.zeros((height, width), np.uint8)
        for letters, font, origin, thickness in lines[:count]:
            brush = max(1, round(thickness * size))
            cv2.putText(canvas, letters, origin, cv2.FONT_HERSHEY_SIMPLEX, font * size, 1, brush)
        if strip:
            canvas = np.asarray(cv2.dilate(canvas, np.ones((9, 25), np.uint8)), np.uint8)
        return [canvas] * frames

    return draw


def _line(rng: Rng, height: int, width: int) -> tuple[str, float, tuple[int, int], int]:
    letters = "".join(rng.choice(LETTERS, rng.integers(6, 24)))
    font = float(rng.uniform(0.5, 1.3)) * height / 128
    origin = (int(rng.uniform(-0.1, 0.4) * width), int(rng.uniform(0.2, 0.98) * height))
    return letters, font, origin, int(rng.integers(2, 7))


def pasted(rng: Rng, frames: int, height: int, width: int, tracks: Sequence[Track]) -> Draw:
    """Take a stretch of a real object's masks and put it elsewhere, forwards or backwards, mirrored or not.

    Args:
        rng: what decides.
        frames: how many frames; a shorter track runs back and forth.
        height: of the frame, pixels.
        width: of the frame, pixels.
        tracks: masks of other clips.
    """
    masks = _stretch(rng, tracks[int(rng.integers(len(tracks)))], frames)
    middle = np.mean([_centre(mask) for mask in masks if mask.any()] or [(0.0, 0.0)], axis=0)
    place = rng.uniform((0.2 * width, 0.2 * height), (0.8 * width, 0.8 * height))
    usual = rng.uniform(0.6, 1.4) * max(width / masks[0].shape[1], height / masks[0].shape[0])
    mirror = rng.choice([-1.0, 1.0])

    def draw(scale: float) -> list[Canvas]:
        factor = np.array([usual * scale * mirror, usual * scale])
        matrix = np.hstack([np.diag(factor), (place - factor * middle)[:, None]])
        # Half of full scale is the edge: enlarged masks stay smooth.
        shown = [cv2.warpAffine(255 * mask, matrix, (width, height), flags=cv2.INTER_LINEAR) for mask in masks]
        return [(mask > 127).astype(np.uint8) for mask in shown]

    return draw


def _stretch(rng: Rng, track: Track, frames: int) -> list[Canvas]:
    """Return one object, or all of them, in `frames` frames that follow each other."""
    cycle = np.concatenate([np.arange(len(track)), np.arange(len(track) - 2, 0, -1)])
    start = int(rng.integers(max(1, len(track) - frames + 1)))
    order = cycle[(start + np.arange(frames)) % len(cycle)]
    if rng.random() < 0.5:
        order = order[::-1]
    ids = np.stack([track[t] for t in order])
    present = np.unique(ids[ids > 0])
    if len(present) > 1 and rng.random() < 0.5:
        return list((ids == rng.choice(present)).astype(np.uint8))
    return list((ids > 0).astype(np.uint8))


def _centre(mask: Canvas) -> tuple[float, float]:
    moments = cv2.moments(mask, binaryImage=True)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


def _path(rng: Rng, frames: int, height: int, width: int, speed: float) -> NDArray[np.float64]:
    """Return (frames, 2) positions (x, y): a smooth walk that turns back at the frame's edges."""
    position = rng.uniform((0.1 * width, 0.1 * height), (0.9 * width, 0.9 * height))
    velocity = rng.normal(0.0, speed, 2)
    positions = []
    for _ in range(frames):
        positions.append(position.copy())
        velocity += rng.normal(0.0, 0.2 * speed, 2)
        position = position + velocity
        outside = (position < 0) | (position > (width, height))
        velocity[outside] *= -1
    return np.array(positions)


def _speed(rng: Rng, still: float) -> float:
    return 0.0 if rng.random() < still else float(rng.choice(SPEEDS))


def _moved(positions: NDArray[np.float64], height: int, width: int, polygons: list[NDArray[np.float64]]) -> Draw:
    """Fill one closed polygon, relative to the frame's position, in each frame."""

    def draw(scale: float) -> list[Canvas]:
        canvases = []
        for position, polygon in zip(positions, polygons, strict=True):
            canvas = np.zeros((height, width), np.uint8)
            cv2.fillPoly(canvas, [np.rint(polygon * scale + position).astype(np.int32)], 1)
            canvases.append(canvas)
        return canvases

    return draw


def _union(layers: list[Draw]) -> Draw:
    def draw(scale: float) -> list[Canvas]:
        drawn = zip(*(layer(scale) for layer in layers), strict=True)
        return [np.maximum.reduce(canvases) for canvases in drawn]

    return draw
