"""A picture as a file has it."""

from __future__ import annotations

import cv2
import numpy as np

from ptfan.training.data.pixels import Floats, Pixels, to_bytes

__all__ = ["as_stored"]


def as_stored(rng: np.random.Generator, picture: Floats, quality: int | None, noise: float) -> Pixels:
    """Return a picture with noise, and compressed.

    Args:
        rng: draws the noise.
        picture: (H, W, 3) in [0, 1].
        quality: of JPEG, 0 to 100; None does not compress.
        noise: its standard deviation, as a share of the range.
    """
    noisy = to_bytes(picture + rng.normal(0, noise, picture.shape))
    if quality is None:
        return noisy
    _, data = cv2.imencode(".jpg", noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
