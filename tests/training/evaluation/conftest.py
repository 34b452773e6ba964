"""Small clips with known motion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.training.evaluation.task import Footage, Task


def panning(seed: int, frames: int, size: tuple[int, int], step: int = 3) -> list[NDArray[np.uint8]]:
    """Return a smooth random texture that moves `step` pixels a frame; size is (width, height)."""
    width, height = size
    texture = np.random.default_rng(seed).random((height, width + step * frames, 3)).astype(np.float32)
    texture = cv2.GaussianBlur(texture, (0, 0), 2.5)
    texture = np.rint(255 * (texture - texture.min()) / np.ptp(texture)).astype(np.uint8)
    return [np.ascontiguousarray(texture[:, step * t : step * t + width]) for t in range(frames)]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory, write_video: Callable[..., None]) -> Path:
    """Two short clips, and the masks of an object beside each."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(2):
        write_video(folder / f"clip{number}.mp4", panning(number, 5, (128, 72)))
        masks = folder / f"clip{number}_mask"
        masks.mkdir()
        for t in range(3):
            mask = np.zeros((72, 128), np.uint8)
            cv2.circle(mask, (40 + 5 * t + 20 * number, 30), 9, 255, -1)
            cv2.imwrite(str(masks / f"{t:05d}.png"), mask)
    return folder


@pytest.fixture(scope="session")
def task() -> Task:
    """A panning texture with a stationary hole; its last frame has none."""
    frames = panning(5, 6, (96, 72))
    hole = np.zeros((72, 96), bool)
    hole[24:40, 44:52] = True
    return Task(Footage("pan", tuple(frames)), "box", (*[hole] * 5, hole & False))
