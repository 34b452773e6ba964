"""Pictures from a Y4M stream."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

import av

from ptfan.engine.errors import InputError
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.deinterlacer import deinterlace
from ptfan.engine.media.filter_chain import FilterChain
from ptfan.engine.media.frame_rate import USUAL_RATE
from ptfan.engine.media.pixel_layout import bits_of, has_alpha
from ptfan.engine.media.rgb import RgbConverter
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.source import Source
from ptfan.engine.media.span import Span
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.media.y4m import Y4mHeader, frame_from_bytes
from ptfan.engine.notices import Warn

__all__ = ["Y4mSource"]

_LONGEST_LINE = 1024
_PARITY = {"t": "tff", "b": "bff"}
_LOCATIONS = {"jpeg": "center", "mpeg2": "left", "paldv": "topleft"}
"""FFmpeg's words for where 4:2:0 has its chroma samples."""


class Y4mSource(Source):
    """Reads a stream from one end to the other, once, and holds one picture at a time."""

    def __init__(self, stream: BinaryIO, name: str, span: Span, warn: Warn) -> None:
        """Read the header.

        Args:
            stream: Where to read; it is not closed.
            name: What it is called in errors.
            span: The part that is wanted.
            warn: Takes a line about what could not be read, or was changed.

        Raises:
            InputError: It is no Y4M stream.
        """
        self._stream, self._name, self._warn = stream, name, warn
        line = stream.readline(_LONGEST_LINE)
        if not line:
            raise InputError(f"{name}: is empty; expected Y4M")
        self._header = Y4mHeader.parse(line.rstrip(b"\r\n"), name)
        self._info = _describe(self._header, name, span)
        self._read = False
        if self._info.interlaced:
            warn(f"{name}: is interlaced; its frames are deinterlaced")

    @property
    def info(self) -> StreamInfo:
        """What the header says."""
        return self._info

    def __iter__(self) -> Iterator[Sample]:
        """Read the pictures.

        Raises:
            InputError: The stream was read before, holds no picture, or goes wrong.
        """
        if self._read:
            raise InputError(f"{self._name}: a stream can be read only once")
        self._read = True
        info, rgb, found = self._info, RgbConverter(), False
        for index, frame in enumerate(self.frames()):
            if info.span.is_after(index * info.time_base):
                break
            if not info.span.is_before(index * info.time_base):
                found = True
                yield Sample(index, rgb.convert(frame), index, info.time_base, frame)
        if not found:
            raise InputError(f"{self._name}: holds no picture {info.span.words}")

    def frames(self) -> Iterator[av.VideoFrame]:
        """Read frames to the end of the stream, deinterlaced if the header says that they are interlaced."""
        parity = _PARITY.get(self._header.interlacing, "auto")
        return deinterlace(self._coded_frames(), every=self._info.interlaced, parity=parity)

    def _coded_frames(self) -> Iterator[av.VideoFrame]:
        size, count, sited = self._header.frame_bytes, 0, None
        while line := self._stream.readline(_LONGEST_LINE):
            if not line.startswith(b"FRAME"):
                raise InputError(f"{self._name}: expected the word FRAME after picture {count}, got {line[:16]!r}")
            data = _read_exactly(self._stream, size)
            if len(data) < size:
                self._warn(f"{self._name}: is cut short: {count} whole pictures could be read")
                return
            frame = frame_from_bytes(data, self._header)
            frame.pts, frame.time_base = count, self._info.time_base
            count += 1
            sited = sited or self._sites(frame)
            yield from sited.push(frame)

    def _sites(self, like: av.VideoFrame) -> FilterChain:
        """Return what says on each frame where its chroma lies, as FFmpeg does for a file."""
        location = _LOCATIONS.get(self._info.chroma_site, "unspecified")
        return FilterChain([("setparams", f"chroma_location={location}")], like)


def _describe(header: Y4mHeader, name: str, span: Span) -> StreamInfo:
    """Say what a header says."""
    rate = header.rate or USUAL_RATE
    return StreamInfo(
        name=name,
        width=header.width,
        height=header.height,
        depth=bits_of(header.pixel_format),
        pixel_format=header.pixel_format,
        time_base=1 / rate,
        rate=rate,
        begin=span.start or Fraction(0),
        span=span,
        colour=ColourTags(range=header.colour_range),
        sample_aspect=header.aspect,
        has_alpha=has_alpha(header.pixel_format),
        interlaced=header.interlacing in _PARITY,
        chroma_site=header.chroma[3:] if header.chroma in ("420jpeg", "420mpeg2", "420paldv") else "",
    )


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    """Read a number of bytes, fewer only at the end of the stream."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
