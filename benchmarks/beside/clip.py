"""The video that all are given, with one hole."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Box, Image, Mask
from ptfan.engine.media import open_source

__all__ = ["Clip"]

RATE = 25
CRF = "16"
"""Hardly any loss."""


@dataclass(frozen=True)
class Clip:
    """A video and a mask, as files."""

    video: Path
    """H.264."""
    mask: Path
    """White in the hole, the same for all frames."""

    @classmethod
    def make(cls, folder: Path, video: Path, frames: int, size: tuple[int, int], hole: Box) -> Clip:
        """Scale the first frames of a video, and draw a mask.

        Args:
            folder: where both are written to.
            video: anything that ptfan reads.
            frames: how many.
            size: (width, height) of the clip, pixels, even.
            hole: in the clip's pixels.

        Raises:
            InputError: the video is too short, or the hole does not lie in the frame.
        """
        width, height = size
        if hole.x + hole.width > width or hole.y + hole.height > height:
            raise InputError(f"box is {hole.x},{hole.y},{hole.width},{hole.height}, expected one in {width}x{height}")
        clip = cls(folder / "clip.mp4", folder / "mask.png")
        with open_source(video) as source:
            images = [sample.image for sample in islice(source, frames)]
        if len(images) < frames:
            raise InputError(f"{video}: has {len(images)} frames, expected {frames}; give fewer --frames")
        _encode(clip.video, [_scaled(image, size) for image in images])
        mask = np.zeros((height, width), np.uint8)
        mask[hole.y : hole.y + hole.height, hole.x : hole.x + hole.width] = 255
        cv2.imwrite(str(clip.mask), mask)
        return clip

    def read(self, size: tuple[int, int]) -> tuple[list[Image], Mask]:
        """Return all frames, (H, W, 3) uint8 each, and the hole, (H, W), made a little larger as all peers' tests do.

        Args:
            size: (width, height) that both are scaled to.
        """
        with open_source(self.video) as source:
            images = [_scaled(sample.image, size) for sample in source]
        mask = cv2.resize(cv2.imread(str(self.mask), cv2.IMREAD_GRAYSCALE), size, interpolation=cv2.INTER_NEAREST)
        cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
        return images, cv2.dilate(mask, cross, iterations=4) > 0


def _scaled(image: Image, size: tuple[int, int]) -> Image:
    scaled: Image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return scaled


def _encode(path: Path, images: list[Image]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": CRF})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
