"""Turning frames and converting them to another pixel format."""

from __future__ import annotations

import av
from av.video.reformatter import VideoReformatter

from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.filter_chain import FilterChain
from ptfan.engine.media.orientation import UPRIGHT, Orientation

__all__ = ["FrameConverter"]

_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
"""From a colour matrix's code to libswscale's number of it."""
_EXACT = 0x4 | 0x40000 | 0x4000 | 0x2000
"""libswscale's bicubic filter, accurate rounding, and chroma of full width; else another matrix darkens pictures."""


class FrameConverter:
    """Makes frames of one size and format into those that an output takes; those that are so already are passed on."""

    def __init__(
        self, pixel_format: str, colour: ColourTags, turn: Orientation = UPRIGHT, *, always: bool = False
    ) -> None:
        """Choose what to make.

        Args:
            pixel_format: The format that is wanted.
            colour: The colour tags after conversion.
            turn: How the picture is to be turned.
            always: Whether frames that have the format already are converted as well, as their colours differ.
        """
        self._pixel_format, self._colour, self._turn, self._always = pixel_format, colour, turn, always
        self._scaler = VideoReformatter()
        self._filters: FilterChain | None = None

    def convert(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Turn a frame, and convert it where its format differs."""
        if self._turn != UPRIGHT:
            self._filters = self._filters or FilterChain(self._turn.filters, frame)
            (frame,) = self._filters.push(frame)
        if frame.format.name == self._pixel_format and not self._always:
            return frame
        result = self._scaler.reformat(
            frame,
            format=self._pixel_format,
            dst_colorspace=_MATRICES.get(self._colour.space),
            dst_color_range=self._colour.range or None,
            interpolation=_EXACT if self._always else None,
        )
        self._colour.write(result)
        return result
