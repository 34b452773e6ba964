"""The colour tags that travel with a video: matrix, range, primaries and transfer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import av

__all__ = ["BT601", "FULL", "LIMITED", "RGB", "UNSPECIFIED", "UNTAGGED", "ColourTags"]

UNSPECIFIED = 2
"""The code for "not said" of matrix, primaries and transfer in ISO/IEC 23091-2."""
RGB, BT601 = 0, 5
"""Codes of matrices."""
LIMITED, FULL = 1, 2
"""Codes of ranges, as FFmpeg numbers them."""


@dataclass(frozen=True)
class ColourTags:
    """Codes of ISO/IEC 23091-2, as FFmpeg numbers them."""

    space: int = UNSPECIFIED
    """Matrix coefficients: 0 RGB, 1 BT.709, 2 not said, 5 and 6 BT.601, 9 BT.2020."""
    range: int = 0
    """0 not said, 1 limited (16 to 235), 2 full (0 to 255)."""
    primaries: int = UNSPECIFIED
    """Colour primaries."""
    transfer: int = UNSPECIFIED
    """Transfer characteristics."""

    @classmethod
    def of(cls, frame: av.VideoFrame) -> ColourTags:
        """Read the tags of a decoded frame."""
        return cls(frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)

    def write(self, target: Any) -> None:
        """Set the tags on a frame or on an encoder's context."""
        target.colorspace = self.space
        target.color_range = self.range
        target.color_primaries = self.primaries
        target.color_trc = self.transfer

    def converted(self, old: str, new: str) -> ColourTags:
        """Return the tags of the same pictures after conversion from one pixel format to another."""
        was_rgb, is_rgb = (av.VideoFormat(name).is_rgb for name in (old, new))
        if was_rgb and not is_rgb:
            return replace(_FROM_RGB, range=FULL if new.startswith("yuvj") else LIMITED)
        if is_rgb and not was_rgb:
            return replace(self, space=RGB, range=FULL)
        return replace(self, range=FULL) if new.startswith("yuvj") else self


_FROM_RGB = ColourTags(space=1, range=LIMITED, primaries=1, transfer=13)
"""What RGB becomes in YUV: BT.709, with sRGB's transfer left as it is."""
UNTAGGED = ColourTags()
"""Nothing is said about colour."""
