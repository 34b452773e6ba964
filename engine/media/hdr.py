"""HDR10's words about a whole video: the display that it was graded on, and how bright it gets."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

import av

from ptfan.engine.media.side_data import read_side_data

__all__ = ["Hdr"]

_DISPLAY = struct.Struct("22i")
"""FFmpeg's AVMasteringDisplayMetadata: x and y of red, green, blue and white, the least and the most luminance, all of
these with denominators, and whether colours and luminances are known."""
_LIGHT = struct.Struct("2I")
"""FFmpeg's AVContentLightMetadata: the brightest pixel, and the brightest frame's mean."""
_COLOUR, _LUMINANCE = 50000, 10000
"""Units of SMPTE ST 2086: parts of a coordinate, and of a candela per square metre."""


@dataclass(frozen=True)
class Hdr:
    """Mastering display and content light level, as x264 and x265 write them; None where they are not known."""

    display: str | None
    """`G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)` in the units of SMPTE ST 2086."""
    light: str | None
    """`max,average` in candelas per square metre."""

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Hdr | None:
        """Read what a decoded frame says; None where it says neither."""
        found = read_side_data(frame) or {}
        display, light = found.get("MASTERING_DISPLAY_METADATA"), found.get("CONTENT_LIGHT_LEVEL")
        hdr = cls(_read_display(display), _read_light(light))
        return None if hdr == cls(None, None) else hdr


def _read_display(data: bytes | None) -> str | None:
    """Write a display as text, if all of it is known."""
    if data is None or len(data) != _DISPLAY.size:
        return None
    *numbers, has_colours, has_luminance = _DISPLAY.unpack(data)
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if not (has_colours and has_luminance and all(over for _, over in pairs)):
        return None
    colours = [round(Fraction(*pair) * _COLOUR) for pair in pairs[:8]]
    least, most = (round(Fraction(*pair) * _LUMINANCE) for pair in pairs[8:])
    red, green, blue, white = (f"({x},{y})" for x, y in zip(colours[::2], colours[1::2], strict=True))
    return f"G{green}B{blue}R{red}WP{white}L({most},{least})"


def _read_light(data: bytes | None) -> str | None:
    """Write light levels as text; zeros mean that they are not known."""
    if data is None or len(data) != _LIGHT.size:
        return None
    most, average = _LIGHT.unpack(data)
    return f"{most},{average}" if most or average else None
