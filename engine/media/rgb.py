"""From a decoded frame to the RGB picture as displayed."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ptfan.engine.frame import Image
from ptfan.engine.media.orientation import UPRIGHT, Orientation
from ptfan.engine.media.pixel_layout import bits_of

__all__ = ["RgbConverter", "depth_of"]


def depth_of(frame: av.VideoFrame) -> int:
    """Return the bits of the deepest component of a frame's format, at least 8 and at most 16."""
    return min(16, max(8, bits_of(frame.format.name)))


class RgbConverter:
    """Turns frames into RGB, to the bit as `VideoFrame.to_ndarray(format="rgb24")` does.

    A frame's own `to_ndarray` builds a scaler for each frame, which takes longer than the conversion; this one is kept.
    """

    def __init__(self, orientation: Orientation = UPRIGHT) -> None:
        """Choose how the frames are turned to be shown.

        Args:
            orientation: That of the whole source: some codecs say it with their key frames alone.
        """
        self._orientation = orientation
        self._first = VideoReformatter()
        self._scaler = VideoReformatter()

    def convert(self, frame: av.VideoFrame) -> Image:
        """Return the picture as displayed.

        Returns:
            (H, W, 3) uint8, or uint16 for formats of more than 8 bits.
        """
        deep = depth_of(frame) > 8
        if deep and frame.width % 2:  # libswscale garbles 4:2:0 of an odd width on the straight way to rgb48le
            frame = self._first.reformat(frame, format="gbrp16le")
        picture = self._scaler.reformat(frame, format="rgb48le" if deep else "rgb24")
        array: NDArray[Any] = np.asarray(picture.to_ndarray())
        return self._orientation.apply(array)
