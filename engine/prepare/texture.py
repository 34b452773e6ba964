"""Fine texture for made-up colours, which are soft: that of the nearest known pixels, mirrored at the hole's edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Mask, hole_box
from ptfan.engine.prepare.carrier import known_pixels
from ptfan.engine.prepare.carry_rules import sureness
from ptfan.engine.prepare.completion import times
from ptfan.engine.prepare.propagation import ColourCompletion
from ptfan.engine.prepare.validity import length, pixel_axes

__all__ = ["TexturedColours", "spread", "textured"]

STRENGTH = 2.5
"""How strong texture is beside that of the known pixels. Much of it fades again: colours settle over time."""
FINE = 1.6
"""Deviation, in pixels, of the Gaussian whose blur tells fine texture from the rest."""
AROUND = 7
"""Pixels to a side of the square over which the directions of texture are gathered."""
LIMIT = 0.06
"""What texture stays below: larger differences are shapes."""
WIDE = 25
"""Pixels to a side of the square over which the usual strength of texture is gathered."""
STANDING = 5.0
"""How many times its usual strength texture stays below."""
LEAST = 0.2
"""How far a pixel must be a guess to get texture, and to give none."""
DEEP = np.float32(6)
"""Pixels from the nearest known one at which texture is all there: before, colours are hardly soft."""
MARGIN = 8
"""Pixels looked at beyond those that are mirrored, for the blurs."""

Picture = NDArray[np.float32]
Plane = NDArray[np.float32]


class TexturedColours:
    """A colour completion whose made-up colours have fine texture.

    It comes before they settle: what differs from frame to frame then fades as it moves on. Networks are trained
    without it: it is never the truth, and they would learn to take it away.
    """

    def __init__(self, colours: ColourCompletion | None = None) -> None:
        """Add texture to the colours of another completion; to those that were completed smoothly if None."""
        self._colours = colours

    def __call__(
        self, pictures: Sequence[Picture], confidences: Sequence[Plane], holes: Sequence[Mask]
    ) -> list[Picture]:
        """Return T pictures (H, W, 3); outside of the holes they stay as they are."""
        made = pictures if self._colours is None else self._colours(pictures, confidences, holes)
        return [textured(*pair) for pair in zip(made, map(_guessed, confidences, holes), strict=True)]


def _guessed(confidence: Plane, hole: Mask) -> Plane:
    """Return how far each pixel is made up, (H, W), 0 to 1."""
    guessed = np.zeros_like(confidence)
    box = hole_box(hole)
    if box is not None:
        guessed[box.slices] = 1.0 - sureness(confidence[box.slices])
    return guessed


def textured(picture: Picture, guessed: Plane, strength: float = STRENGTH) -> Picture:
    """Add texture where colours are made up.

    Lines and edges are left out: they would look embossed. What is left is noise-like, as grass, water or walls are.

    Args:
        picture: (H, W, 3) RGB in [0, 1], soft where colours are made up.
        guessed: (H, W), 0 where the picture is known to 1 where it is made up.
        strength: how strong the texture is beside that of the known pixels; 0 adds none.

    Returns:
        (H, W, 3); the picture itself where nothing is to be added.
    """
    if not strength:
        return picture
    found = spread(guessed > LEAST, lambda near, soft: _fine(picture[near.slices], soft), LIMIT)
    if found is None:
        return picture
    box, texture, distance = found
    share = guessed[box.slices] * np.minimum(distance / DEEP, 1.0)  # nothing where the distance is 0: not soft
    result: Picture = picture.copy()
    part = result[box.slices]
    part += times(texture, share * np.float32(strength))
    np.clip(part, 0.0, 1.0, out=part)
    return result


def spread(soft: Mask, fine: Callable[[Box, Mask], Picture], limit: float) -> tuple[Box, Picture, Plane] | None:
    """Spread texture over what is soft: that of the other pixels, mirrored at the nearest of them.

    Lines are left out, and it is nowhere much stronger than texture usually is round that nearest pixel: else what
    stands out farther away, an edge against the sky or a shore below it, would look embossed.

    Args:
        soft: (H, W).
        fine: is asked once, for what is fine, around 0, in a box of the frame, (h, w) or (h, w, 3), and told what is
            soft there, (h, w), where it is to be 0.
        limit: what texture stays below.

    Returns:
        The box of what is soft; what is spread in it, (h, w) or (h, w, 3); and how far away, in pixels, the nearest
        other pixel is, (h, w). None where nothing is soft, or all.
    """
    box = hole_box(soft)
    if box is None or soft.all():
        return None
    frame = Box(0, 0, soft.shape[1], soft.shape[0])
    ring = box.grown(1, frame)  # the nearest pixel that is not soft lies in it
    x, y, distance = _nearest(soft[ring.slices], box.seen_from(ring))
    near = box.grown(math.ceil(distance.max()) + MARGIN, frame)
    x, y = x + np.float32(ring.x - near.x), y + np.float32(ring.y - near.y)
    texture, usual = _texture(fine(near, soft[near.slices]), soft[near.slices])
    bound = np.minimum(cv2.remap(usual, x, y, cv2.INTER_NEAREST) * np.float32(STANDING), np.float32(limit))
    columns, rows = pixel_axes(near.height, near.width)
    inside = box.seen_from(near)
    x, y = 2.0 * x - columns[:, inside.slices[1]], 2.0 * y - rows[inside.slices[0]]
    mirrored = cv2.remap(texture, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return box, times(np.tanh(times(mirrored, 1.0 / bound)), bound), distance


def _fine(picture: Picture, soft: Mask) -> Picture:
    """Return what is fine of a picture, (h, w, 3) around 0; nothing where it is soft."""
    blurred = cv2.GaussianBlur(known_pixels(picture, soft), (0, 0), FINE)  # soft pixels have no say in it
    mean = times(blurred[..., :3], 1.0 / np.maximum(blurred[..., 3], np.float32(1e-6)))
    return np.asarray(cv2.copyTo(picture - mean, (~soft).view(np.uint8)), np.float32)


def _texture(fine: Picture, soft: Mask) -> tuple[Picture, Plane]:
    """Return what has no direction of its own of what is fine, and how strong that usually is round a pixel, (h, w)."""
    plane = fine if fine.ndim == 2 else cv2.transform(fine, np.full((1, 3), 1 / 3, np.float32))
    kept: Plane = 1.0 - _coherence(plane)
    side = (WIDE, WIDE)
    known = cv2.boxFilter(np.where(soft, np.float32(0), np.float32(1)), -1, side)
    usual = cv2.boxFilter(np.abs(plane * kept), -1, side) / np.maximum(known, np.float32(1e-6))
    return times(fine, kept), np.maximum(usual, np.float32(1e-5))


def _coherence(plane: Plane) -> Plane:
    """Return how far gradients agree on a direction, (h, w): from 0, noise, to 1, a line; by the structure tensor."""
    x, y = cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)
    xx, xy, yy = cv2.split(cv2.boxFilter(cv2.merge([x * x, x * y, y * y]), -1, (AROUND, AROUND)))
    agreement: Plane = length(xx - yy, 2.0 * xy) / (xx + yy + np.float32(1e-6))
    return agreement


def _nearest(soft: Mask, box: Box) -> tuple[Plane, Plane, Plane]:
    """Return column and row of the pixel nearest to each of a box's that is not soft, and how far away it is."""
    distance, labels = cv2.distanceTransformWithLabels(
        soft.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    known = np.flatnonzero(~soft)
    places = np.zeros(labels.max() + 1, np.int32)
    places[labels.ravel()[known]] = known
    y, x = (number.astype(np.float32) for number in np.divmod(places[labels[box.slices]], soft.shape[1]))
    return x, y, np.asarray(distance[box.slices], np.float32)
