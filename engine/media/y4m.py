"""YUV4MPEG2: uncompressed pictures in a stream, each behind a word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.media.colour import FULL, LIMITED
from ptfan.engine.media.pixel_layout import bits_of, plane_rows

__all__ = ["Y4M_FORMATS", "Y4mHeader", "frame_from_bytes", "frame_to_bytes"]

_MAGIC = b"YUV4MPEG2"
_DEEP = {
    f"{layout}p{bits}": f"yuv{layout}p{bits}le" for layout in ("420", "422", "444") for bits in (9, 10, 12, 14, 16)
}
_GREY = {f"mono{bits}": f"gray{bits}le" for bits in (9, 10, 12, 14, 16)}
_LARGEST, _MOST = 65535, 250_000_000
"""Pixels a side, and in all: FFmpeg takes few more."""
_LARGEST_TERM = (1 << 31) - 1
"""Of a ratio: FFmpeg's own limit."""
_PLAIN = {
    "420": "yuv420p",
    "411": "yuv411p",
    "422": "yuv422p",
    "444": "yuv444p",
    "444alpha": "yuva444p",
    "mono": "gray",
}
_SITED = {"420jpeg": "yuv420p", "420mpeg2": "yuv420p", "420paldv": "yuv420p"}
_FORMATS = _PLAIN | _SITED | _DEEP | _GREY
Y4M_FORMATS = tuple(dict.fromkeys(_FORMATS.values()))
"""The pixel formats that a stream can hold."""


@dataclass(frozen=True)
class Y4mHeader:
    """The first line of a stream."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    rate: Fraction | None = None
    """Frames a second; None when unknown."""
    aspect: Fraction | None = None
    """Width of a sample over its height; None when unknown."""
    interlacing: str = "p"
    """`p` none, `t` top field first, `b` bottom field first, `m` mixed, `?` unknown."""
    chroma: str = "420"
    """The format's name, for example `420jpeg` or `422p10`."""
    full_range: bool | None = None
    """Whether samples use their full range; None when unknown."""

    @property
    def pixel_format(self) -> str:
        """FFmpeg's name of the format."""
        return _FORMATS[self.chroma]

    @property
    def colour_range(self) -> int:
        """FFmpeg's code of the samples' range, see `ColourTags.range`."""
        return {None: 0, False: LIMITED, True: FULL}[self.full_range]

    @classmethod
    def parse(cls, line: bytes, name: str) -> Y4mHeader:
        """Read the first line of a stream.

        Args:
            line: The line, without its end.
            name: What the stream is called in errors.

        Raises:
            InputError: It is no such line, or names a format that is not known.
        """
        magic, *words = line.split(b" ")
        if magic != _MAGIC:
            raise InputError(f"{name}: begins with {line[:16]!r}, expected Y4M (ffmpeg -i INPUT -f yuv4mpegpipe -)")
        try:
            return _header({word[:1]: word[1:].decode("ascii") for word in words if word[:1] != b"X"}, words)
        except (ValueError, ZeroDivisionError, KeyError) as error:
            raise InputError(f"{name}: its Y4M header {line[:200]!r} cannot be used ({error})") from error

    def line(self) -> bytes:
        """Return the first line of a stream, its end included."""
        words = [f"W{self.width}", f"H{self.height}", f"F{_ratio(self.rate)}", f"I{self.interlacing}"]
        words += [f"A{_ratio(self.aspect)}", f"C{self.chroma}"]
        if self.full_range is not None:
            words.append(f"XCOLORRANGE={'FULL' if self.full_range else 'LIMITED'}")
        return b" ".join([_MAGIC, *(word.encode() for word in words)]) + b"\n"

    @staticmethod
    def chroma_of(pixel_format: str, site: str = "") -> str:
        """Return the stream's name of a pixel format; `site` is where 8-bit 4:2:0 has its chroma."""
        if pixel_format == "yuv420p":
            return f"420{site or 'jpeg'}"
        return next(chroma for chroma, name in _FORMATS.items() if name == pixel_format)

    @property
    def frame_bytes(self) -> int:
        """Bytes of a picture."""
        return sum(
            rows * bytes_ for rows, bytes_ in _plane_sizes(av.VideoFrame(self.width, self.height, self.pixel_format))
        )


def frame_from_bytes(data: bytes, header: Y4mHeader) -> av.VideoFrame:
    """Build a frame of the bytes of a picture."""
    frame = av.VideoFrame(header.width, header.height, header.pixel_format)
    position = 0
    for plane, (rows, row) in zip(frame.planes, _plane_sizes(frame), strict=True):
        plane_rows(plane)[:rows, :row] = np.frombuffer(data, np.uint8, rows * row, position).reshape(rows, row)
        position += rows * row
    frame.color_range = header.colour_range
    return frame


def frame_to_bytes(frame: av.VideoFrame) -> Iterable[bytes]:
    """Yield the bytes of a picture, plane by plane."""
    for plane, (rows, row) in zip(frame.planes, _plane_sizes(frame), strict=True):
        yield plane_rows(plane)[:rows, :row].tobytes()


def _plane_sizes(frame: av.VideoFrame) -> list[tuple[int, int]]:
    """Return rows, and bytes a row, of each plane."""
    width = 1 if bits_of(frame.format.name) <= 8 else 2
    return [(plane.height, plane.width * width) for plane in frame.planes]


def _header(fields: dict[bytes, str], words: Iterable[bytes]) -> Y4mHeader:
    """Build a header of its words."""
    ranges = {b"XCOLORRANGE=FULL": True, b"XCOLORRANGE=LIMITED": False}
    chroma = fields.get(b"C", "420jpeg")
    if chroma not in _FORMATS:
        raise ValueError(f"chroma format {chroma!r} is not known")
    width, height = int(fields.get(b"W", 0)), int(fields.get(b"H", 0))
    if not (1 <= width <= _LARGEST and 1 <= height <= _LARGEST and width * height <= _MOST):
        raise ValueError(
            f"a size of {width}x{height}; expected 1 to {_LARGEST} a side and {_MOST // 10**6} million pixels at most"
        )
    return Y4mHeader(
        width=width,
        height=height,
        rate=_fraction(fields.get(b"F", "0:0")),
        aspect=_fraction(fields.get(b"A", "0:0")),
        interlacing=fields.get(b"I", "p"),
        chroma=chroma,
        full_range=next((ranges[word] for word in words if word in ranges), None),
    )


def _fraction(text: str) -> Fraction | None:
    """Read `a:b`; 0 on either side means unknown."""
    above, below = (int(part) for part in text.split(":"))
    if max(above, below) > _LARGEST_TERM:
        raise ValueError(f"{text}, expected terms up to {_LARGEST_TERM}")
    return Fraction(above, below) if above > 0 and below > 0 else None


def _ratio(value: Fraction | None) -> str:
    """Write `a:b`."""
    return f"{value.numerator}:{value.denominator}" if value else "0:0"
