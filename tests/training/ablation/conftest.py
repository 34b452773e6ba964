"""A small dataset of panning textures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def frames_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of 6 frames of 64x48, as folders of images."""
    root = tmp_path_factory.mktemp("dataset")
    for number in range(2):
        texture = cv2.GaussianBlur(np.random.default_rng(number).random((48, 80, 3)).astype(np.float32), (0, 0), 2.0)
        texture = np.rint(255 * (texture - texture.min()) / np.ptp(texture)).astype(np.uint8)
        folder = root / "JPEGImages" / f"clip{number}"
        folder.mkdir(parents=True)
        for t in range(6):
            assert cv2.imwrite(str(folder / f"{t:05d}.jpg"), texture[:, 2 * t : 2 * t + 64])
    return root
