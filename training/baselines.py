"""What needs no network: the methods that a model has to beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.flow import estimate_flows
from ptfan.engine.frame import Mask
from ptfan.engine.propagation import propagate

__all__ = ["BASELINES", "propagation", "telea"]

Picture = NDArray[np.float32]
Method = Callable[[Sequence[Picture], Sequence[Mask]], list[Picture]]
RADIUS = 3
"""Telea's neighbourhood, pixels."""


def telea(images: Sequence[Picture], holes: Sequence[Mask]) -> list[Picture]:
    """Fill each frame by itself with the fast marching method (Telea, 2004), as OpenCV has it.

    Args:
        images: T frames (H, W, 3) RGB in [0, 1].
        holes: T masks (H, W).
    """
    return [_telea(image, hole) for image, hole in zip(images, holes, strict=True)]


def propagation(images: Sequence[Picture], holes: Sequence[Mask]) -> list[Picture]:
    """Carry known pixels along the completed flow over the whole clip, both ways; fill the rest by `telea`.

    Args:
        images: T frames (H, W, 3) RGB in [0, 1].
        holes: T masks (H, W).
    """
    filled, confidence = propagate(images, holes, estimate_flows(images, holes))
    return [_telea(image, reached == 0) for image, reached in zip(filled, confidence, strict=True)]


BASELINES: dict[str, Method] = {"telea": telea, "propagation": propagation}
"""The baselines by name."""


def _telea(image: Picture, hole: Mask) -> Picture:
    if not hole.any():
        return image
    pixels = np.rint(np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8)
    inpainted = cv2.inpaint(pixels, hole.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA).astype(np.float32) / 255.0
    return np.where(hole[..., None], inpainted, image)
