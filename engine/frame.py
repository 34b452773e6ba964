"""The frame that travels through the runtime, the boxes and patches it carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError

__all__ = ["Box", "Frame", "Image", "Mask", "Patch", "hole_box"]

Image = NDArray[Any]
"""(H, W, 3) RGB, uint8, or uint16 over the full 16-bit range."""
Mask = NDArray[np.bool_]
"""(H, W), True in the hole."""


@dataclass(frozen=True, order=True)
class Box:
    """A rectangle of whole pixels in the frame as displayed."""

    x: int
    """Left edge, pixels."""
    y: int
    """Top edge, pixels."""
    width: int
    """Width, pixels."""
    height: int
    """Height, pixels."""

    @property
    def right(self) -> int:
        """The first column right of the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below the box."""
        return self.y + self.height

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an array (H, W, ...)."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def common(self, other: Box) -> Box:
        """Return what lies in both boxes; without width or height where nothing does."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Box(x, y, max(0, right - x), max(0, bottom - y))

    def seen_from(self, other: Box) -> Box:
        """Return the same box in the coordinates of another one, whose corner is their origin."""
        return Box(self.x - other.x, self.y - other.y, self.width, self.height)

    def overlaps(self, other: Box) -> bool:
        """Tell whether any pixel lies in both boxes."""
        common = self.common(other)
        return common.width > 0 and common.height > 0

    def union(self, other: Box) -> Box:
        """Return the smallest box round both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def grown(self, margin: int, within: Box) -> Box:
        """Return the box with so many more pixels on each side, as far as another one reaches."""
        return Box(self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin).common(within)


def hole_box(hole: Mask) -> Box | None:
    """Return the smallest box round a hole, or None if the hole is empty."""
    x, y, width, height = cv2.boundingRect(hole.view(np.uint8))
    return Box(x, y, width, height) if width else None


@dataclass(frozen=True, eq=False)
class Patch:
    """Pixels that fill a hole, at the resolution of the source."""

    box: Box
    """Where the patch lies in the frame."""
    pixels: NDArray[np.float32]
    """(h, w, 3) RGB in [0, 1]."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture, its hole and, once inpainted, what fills the hole."""

    image: Image
    """(H, W, 3) RGB as decoded, uint8 or uint16."""
    hole: Mask
    """(H, W), True where the picture is to be replaced."""
    tag: object = None
    """Anything; it rides through the runtime untouched."""
    patches: tuple[Patch, ...] = ()
    """What fills the hole; empty before inpainting and when there is no hole."""
    cut: bool = False
    """True when a scene begins with this frame."""

    def __post_init__(self) -> None:
        """Refuse what is no picture or no mask at all; the runtime looks at their kinds and sizes.

        Raises:
            InputError: image or hole is no array, has another number of dimensions, or no pixels.
        """
        whole = ("frame", self.image, 3, "uint8 or uint16 (H, W, 3)"), ("mask", self.hole, 2, "bool (H, W)")
        for name, array, sides, wanted in whole:
            if not isinstance(array, np.ndarray):
                raise InputError(f"{name} is a {type(array).__name__}, expected a NumPy array, {wanted}")
            if array.ndim != sides or array.size == 0:
                raise InputError(f"{name} is of shape {array.shape}, expected {wanted} with a pixel at least")

    def composite(self) -> Image:
        """Return the picture with its hole filled; pixels outside the hole are the very same.

        Returns:
            (H, W, 3) of the image's own type: a copy, to draw on as one likes.
        """
        height, width = self.hole.shape
        return self.composite_in(Box(0, 0, width, height))

    def composite_in(self, region: Box) -> Image:
        """Return a part of that picture, (h, w, 3): a copy, made without touching the rest."""
        peak = float(np.iinfo(self.image.dtype).max)
        result: Image = self.image[region.slices].copy()
        for patch in self.patches:
            if patch.box.overlaps(region):
                box = patch.box.common(region)
                values = np.rint(np.clip(patch.pixels[box.seen_from(patch.box).slices], 0.0, 1.0) * peak)
                part = result[box.seen_from(region).slices]
                hole = np.ascontiguousarray(self.hole[box.slices]).view(np.uint8)
                part[...] = cv2.copyTo(values.astype(self.image.dtype), hole, part.copy())
        return result
