"""Random holes for training: free-form strokes, object-like blobs, boxes and text, moving or stationary."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask

__all__ = ["random_holes"]

Rng = np.random.Generator
Canvas = NDArray[np.uint8]
SHARE = (0.02, 0.45)
"""The range of a hole's area, as a share of the frame; a draw outside it is drawn again."""


def random_holes(rng: Rng, frames: int, height: int, width: int) -> list[Mask]:
    """Draw one hole for each of `frames` frames; the kind, size, place and motion are random.

    Returns:
        `frames` masks (H, W), True in the hole; every one covers a share within `SHARE` of the frame.
    """
    kinds: list[Callable[[Rng, int, int, int], list[Canvas]]] = [_strokes, _blobs, _blobs, _boxes, _text]
    for _ in range(20):
        canvases = kinds[rng.integers(len(kinds))](rng, frames, height, width)
        shares = [float(np.count_nonzero(canvas)) / canvas.size for canvas in canvases]
        if min(shares) >= SHARE[0] and max(shares) <= SHARE[1]:
            return [canvas > 0 for canvas in canvases]
    box = np.zeros((height, width), bool)
    box[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = True
    return [box] * frames


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


def _speed(rng: Rng) -> float:
    return float(rng.choice([0.0, 1.0, 3.0]))


def _draw_each(
    positions: NDArray[np.float64], height: int, width: int, polygons: list[NDArray[np.float64]]
) -> list[Canvas]:
    """Fill one closed polygon, relative to the frame's position, in each frame."""
    canvases = []
    for position, polygon in zip(positions, polygons, strict=True):
        canvas = np.zeros((height, width), np.uint8)
        cv2.fillPoly(canvas, [np.rint(polygon + position).astype(np.int32)], 1)
        canvases.append(canvas)
    return canvases


def _union(layers: list[list[Canvas]]) -> list[Canvas]:
    return [np.maximum.reduce(canvases) for canvases in zip(*layers, strict=True)]


def _blobs(rng: Rng, frames: int, height: int, width: int) -> list[Canvas]:
    """Draw one to three shapes with wavy outlines that move, turn and change slowly."""
    return _union([_blob(rng, frames, height, width) for _ in range(rng.integers(1, 4))])


def _blob(rng: Rng, frames: int, height: int, width: int) -> list[Canvas]:
    angles = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    size = rng.uniform(0.08, 0.3) * min(height, width)
    stretch = np.array([rng.uniform(0.6, 1.6), rng.uniform(0.6, 1.6)])
    waves = [(k, rng.normal(0.0, 0.25 / k), rng.uniform(0, 2 * np.pi)) for k in range(1, 6)]
    spin, drift = rng.normal(0.0, 0.03), rng.normal(0.0, 0.1)
    polygons = []
    for t in range(frames):
        radius = size * np.maximum(0.3, 1.0 + sum(a * np.cos(k * angles + p + drift * k * t) for k, a, p in waves))
        turned = angles + spin * t
        polygons.append(np.stack([radius * np.cos(turned), radius * np.sin(turned)], axis=-1) * stretch)
    return _draw_each(_path(rng, frames, height, width, _speed(rng)), height, width, polygons)


def _boxes(rng: Rng, frames: int, height: int, width: int) -> list[Canvas]:
    """Draw one or two boxes, mostly stationary: logos and watermarks."""
    layers = []
    for _ in range(rng.integers(1, 3)):
        half = rng.uniform((0.06 * width, 0.06 * height), (0.25 * width, 0.25 * height))
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        speed = float(rng.choice([0.0, 0.0, 2.0]))
        layers.append(_draw_each(_path(rng, frames, height, width, speed), height, width, [corners] * frames))
    return _union(layers)


def _strokes(rng: Rng, frames: int, height: int, width: int) -> list[Canvas]:
    """Draw brush strokes (free-form masks) that move as one."""
    points = [_path(rng, int(rng.integers(4, 10)), height, width, 0.12 * width) for _ in range(rng.integers(1, 4))]
    thickness = int(rng.uniform(0.05, 0.14) * min(height, width)) + 1
    shifts = _path(rng, frames, height, width, _speed(rng))
    canvases = []
    for shift in shifts - shifts[0]:
        canvas = np.zeros((height, width), np.uint8)
        cv2.polylines(canvas, [np.rint(p + shift).astype(np.int32) for p in points], False, 1, thickness)
        canvases.append(canvas)
    return canvases


def _text(rng: Rng, frames: int, height: int, width: int) -> list[Canvas]:
    """Draw one or two stationary lines of letters: subtitles; the mask hugs the letters or covers their strip."""
    canvas = np.zeros((height, width), np.uint8)
    for _ in range(rng.integers(1, 3)):
        letters = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyzABCDEFGH ,.!?0123"), rng.integers(6, 24)))
        scale = float(rng.uniform(0.5, 1.3)) * height / 128
        origin = (int(rng.uniform(-0.1, 0.4) * width), int(rng.uniform(0.2, 0.98) * height))
        thickness = int(rng.integers(2, 7))
        cv2.putText(canvas, letters, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, 1, thickness)
    if rng.random() < 0.3:
        canvas = cv2.dilate(canvas, np.ones((9, 25), np.uint8))
    return [canvas] * frames
