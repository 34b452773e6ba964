import cv2
import numpy as np

from ptfan.training.baselines import BASELINES, propagation, telea
from ptfan.training.metrics import psnr


def _panning_clip(frames=6, height=64, width=96):
    """A smooth random texture that moves three pixels a frame, and a stationary hole."""
    texture = np.random.default_rng(5).random((height, width + 3 * frames, 3)).astype(np.float32)
    texture = cv2.GaussianBlur(texture, (0, 0), 2.0)
    texture = (texture - texture.min()) / (texture.max() - texture.min())
    images = [np.ascontiguousarray(texture[:, 3 * t : 3 * t + width]) for t in range(frames)]
    hole = np.zeros((height, width), bool)
    hole[24:40, 44:52] = True
    return images, [hole] * frames


def test_baselines_leave_known_pixels_alone_and_ignore_the_hole():
    images, holes = _panning_clip()
    spoiled = [np.where(hole[..., None], np.float32(1), image) for image, hole in zip(images, holes, strict=True)]
    for method in BASELINES.values():
        results, again = method(images, holes), method(spoiled, holes)
        for result, other, image, hole in zip(results, again, images, holes, strict=True):
            np.testing.assert_array_equal(result[~hole], image[~hole])
            np.testing.assert_array_equal(result, other)


def test_propagation_finds_what_the_pan_uncovers():
    images, holes = _panning_clip()
    mean = {
        method: np.mean([psnr(r, i, h) for r, i, h in zip(method(images, holes), images, holes, strict=True)])
        for method in (telea, propagation)
    }
    assert mean[propagation] > mean[telea] + 3.0
