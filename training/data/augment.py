"""What augmentation does to pictures and to flow, so that both still belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Mask
from ptfan.engine.prepare.flow import FlowPair
from ptfan.engine.prepare.validity import pixel_axes, validity
from ptfan.training.data.pixels import to_floats
from ptfan.training.data.sample_config import CutConfig

__all__ = ["Stretch", "View", "choose_stretch", "choose_view", "compose", "composed_pair", "plain_pictures"]

Rng = np.random.Generator
Flow = NDArray[np.float32]
"""(H, W, 2) pixels."""


@dataclass(frozen=True)
class View:
    """A region of the frame, the size at which it is shown, and whether it is mirrored."""

    box: Box
    """The region, pixels of the clip's frame."""
    size: tuple[int, int]
    """(width, height) at which it is shown, pixels."""
    flip: bool = False
    """Left and right change places."""
    flip_vertical: bool = False
    """Top and bottom change places."""

    def picture(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what is shown of a frame.

        Args:
            image: (H, W, 3) uint8.

        Returns:
            (height, width, 3) in [0, 1], contiguous.
        """
        shown = image[self.box.slices]
        if shown.shape[1::-1] != self.size:
            shown = cv2.resize(shown, self.size, interpolation=cv2.INTER_AREA)
        if self.flip or self.flip_vertical:
            shown = cv2.flip(shown, -1 if self.flip and self.flip_vertical else 1 if self.flip else 0)
        return to_floats(shown)

    def flow(self, field: NDArray[Any], frame: tuple[int, int], unit: float = 1.0) -> Flow:
        """Return the flow of what is shown: at its places, in its pixels and directions.

        Args:
            field: (h, w, 2) float32 or int16, the whole frame's flow on a grid of any size.
            frame: (width, height) of the frame, whose pixels the flow is counted in.
            unit: pixels of the frame to one step of the field's numbers.

        Returns:
            (height, width, 2) float32.
        """
        columns = self._inverse(self.box.x, self.box.width, self.size[0], self.flip, field.shape[1] / frame[0])
        rows = self._inverse(self.box.y, self.box.height, self.size[1], self.flip_vertical, field.shape[0] / frame[1])
        matrix = np.array([[columns[0], 0.0, columns[1]], [0.0, rows[0], rows[1]]])
        shown = cv2.warpAffine(
            field,
            matrix,
            self.size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        across = unit * self.size[0] / self.box.width * (-1 if self.flip else 1)
        down = unit * self.size[1] / self.box.height * (-1 if self.flip_vertical else 1)
        moved: Flow = shown.astype(np.float32)
        moved *= np.array([across, down], np.float32)
        return moved

    @staticmethod
    def _inverse(start: int, extent: int, shown: int, flip: bool, density: float) -> tuple[float, float]:
        """Return (slope, offset) from a shown pixel's number to its place on the field's grid, along one axis.

        Pixel k covers k to k + 1, so that centres lie at k + 0.5 on every grid.
        """
        slope, first = extent / shown, float(start)
        if flip:
            slope, first = -slope, float(start + extent)
        return slope * density, (first + 0.5 * slope) * density - 0.5


@dataclass(frozen=True)
class Stretch:
    """Which frames of a clip are taken, in which order."""

    order: tuple[int, ...]
    """Frame numbers in the clip: history, sample and future."""
    history: int
    """How many of them come before the sample."""

    def sample(self, frames: int) -> range:
        """Return the places in `order` of a sample of so many frames."""
        return range(self.history, self.history + frames)

    def pairs(self) -> list[tuple[int, int]]:
        """Return the clip's numbers of each two frames that follow each other."""
        return list(pairwise(self.order))


def choose_stretch(rng: Rng, scene: range, config: CutConfig, around: tuple[int, int] = (0, 0)) -> Stretch:
    """Choose speed, direction and place of a sample in a scene of at least `config.frames` frames.

    Args:
        rng: what decides.
        scene: the frames of the scene.
        config: the settings.
        around: frames to take before and after the sample as well, as far as there are so many.
    """
    fits = len(scene) >= 2 * config.frames
    speed = 2 if rng.random() < config.double_speed and fits else 1
    start = int(rng.integers(len(scene) - speed * (config.frames - 1)))
    backwards = rng.random() < config.reverse
    before, after = around
    if backwards:
        before, after = after, before
    before = min(before, start // speed)
    after = min(after, (len(scene) - 1 - start) // speed - (config.frames - 1))
    order = [scene[start + speed * t] for t in range(-before, config.frames + after)]
    return Stretch(tuple(order[::-1]), after) if backwards else Stretch(tuple(order), before)


def choose_view(rng: Rng, height: int, width: int, config: CutConfig) -> View:
    """Choose a region of the sample's shape: by default from its own size up to the largest that fits.

    Args:
        rng: what decides.
        height: of the clip's frame, pixels.
        width: of the clip's frame, pixels.
        config: the settings.
    """
    shown = config.size
    largest = min(width / shown[0], height / shown[1])
    most = min(largest, config.scale_max) if config.scale_max is not None else largest
    scale = rng.uniform(min(config.scale_min, most), most)
    box_width, box_height = min(width, round(shown[0] * scale)), min(height, round(shown[1] * scale))
    x, y = int(rng.integers(width - box_width + 1)), int(rng.integers(height - box_height + 1))
    flip, flip_vertical = rng.random() < config.flip, rng.random() < config.flip_vertical
    return View(Box(x, y, box_width, box_height), shown, bool(flip), bool(flip_vertical))


def plain_pictures(rng: Rng, images: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return pictures that show nothing but areas, of any colour.

    Args:
        rng: what decides on blur, contrast and colour, all frames alike.
        images: (H, W, 3) each, in [0, 1].
    """
    blur, contrast = float(np.exp(rng.uniform(np.log(4), np.log(40)))), rng.uniform(0, 1)
    mean = np.mean([image.mean(axis=(0, 1)) for image in images], axis=0)
    colour = rng.uniform(0, 1, 3) if rng.random() < 0.7 else mean
    shift = (colour - contrast * mean).astype(np.float32)
    blurred = (cv2.GaussianBlur(image, (0, 0), blur) * np.float32(contrast) for image in images)
    return [np.clip(image + shift, 0, 1).astype(np.float32) for image in blurred]


def compose(steps: Sequence[Flow]) -> tuple[Flow, Mask]:
    """Follow flows from frame to frame.

    Args:
        steps: (H, W, 2) each: from a frame to the next, from there to the one after, and so on.

    Returns:
        The flow from the first frame to the last, and where no step on the way left the frame.
    """
    height, width = steps[0].shape[:2]
    columns, rows = pixel_axes(height, width)
    total, inside = steps[0], np.ones((height, width), bool)
    for step in steps[1:]:
        x, y = total[..., 0] + columns, total[..., 1] + rows
        inside &= (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        total = total + np.asarray(cv2.remap(step, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return total, inside


def composed_pair(forward: Sequence[Flow], backward: Sequence[Flow]) -> FlowPair:
    """Return the flow between two frames, followed from step to step, and where it is valid.

    Args:
        forward: the steps from the first frame to the second.
        backward: the steps from the second to the first.
    """
    there, there_inside = compose(forward)
    back, back_inside = compose(backward)
    return FlowPair(there, back, validity(there, back) & there_inside, validity(back, there) & back_inside)
