"""Draw samples of the training masks: a row for each kind of hole, on frames of the demonstration's clip.

python examples/draw_masks.py docs/training_masks.jpg
"""

from __future__ import annotations

import sys
from importlib.resources import files
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

from ptfan.training.data.random_holes import random_holes
from ptfan.training.data.sample_config import FVI_AREAS, MASK_KINDS, MaskConfig

SIZE = (176, 96)
"""(width, height) of one picture, pixels."""
FRAMES, SHOWN = 9, (0, 4, 8)
"""Frames of a sample, and those that are drawn."""
AREAS = (FVI_AREAS[0], FVI_AREAS[3])
"""Each kind is drawn once with small holes (5-15 %) and once with large ones (35-45 %)."""
SEED = 7
TINT = np.array([235, 60, 120], np.float32)
MARGIN, LABEL = 4, 64
"""Pixels between pictures, and for the rows' names."""


def read_clip() -> list[np.ndarray]:
    """Return the first frames of the demonstration's clip at the size that is drawn, (height, width, 3) each."""
    with av.open(str(files("ptfan.engine.demo") / "bikes.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), FRAMES)]
    return [cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA) for frame in frames]


def walking_figure(frames: int = 24) -> np.ndarray:
    """Return masks (T, 90, 60) of a figure that walks on the spot, in place of a dataset's objects."""
    masks = np.zeros((frames, 90, 60), np.uint8)
    for t, mask in enumerate(masks):
        swing = round(12 * np.sin(2 * np.pi * t / 12))
        cv2.circle(mask, (30, 14), 9, 1, -1)
        cv2.ellipse(mask, (30, 40), (11, 19), 0, 0, 360, 1, -1)
        for side in (-1, 1):
            cv2.line(mask, (30, 52), (30 + side * swing, 84), 1, 8)
            cv2.line(mask, (30, 30), (30 - side * swing, 54), 1, 6)
    return masks


def draw_row(images: list[np.ndarray], kind: str) -> np.ndarray:
    """Return one kind's pictures side by side."""
    pictures = []
    for area in AREAS:
        config = MaskConfig(**{name: float(name == kind) for name in MASK_KINDS}, areas=(area,), still=0.0)
        tracks = [walking_figure()]
        rng = np.random.default_rng(SEED)
        holes = random_holes(rng, FRAMES, SIZE[1], SIZE[0], config, tracks=tracks)
        pictures += [tinted(images[t], holes[t]) for t in SHOWN]
    framed = [np.pad(one, ((0, MARGIN), (0, MARGIN), (0, 0)), constant_values=255) for one in pictures]
    row = np.hstack(framed)
    label = np.full((row.shape[0], LABEL, 3), 255, np.uint8)
    cv2.putText(label, kind, (2, SIZE[1] // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.hstack([label, row])


def tinted(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Return the picture with its hole coloured."""
    return np.where(hole[..., None], 0.25 * image + 0.75 * TINT, image).astype(np.uint8)


def main(target: Path) -> None:
    """Write the picture."""
    images = read_clip()
    sheet = np.vstack([draw_row(images, kind) for kind in MASK_KINDS])
    cv2.imwrite(str(target), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
