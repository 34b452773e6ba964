"""What is known of a source before its frames are read."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.orientation import UPRIGHT, Orientation

__all__ = ["StreamInfo"]


@dataclass(frozen=True)
class StreamInfo:
    """A source's size, timing and format. Sizes are those of the picture as displayed."""

    name: str
    """The file, folder or `-` as the user named it."""
    width: int
    """Width as displayed, pixels."""
    height: int
    """Height as displayed, pixels."""
    depth: int
    """Bits a sample, 8 to 16; above 8 the images are uint16."""
    pixel_format: str
    """FFmpeg's name of the decoded frames' format, for example `yuv420p`."""
    time_base: Fraction
    """Seconds a tick of the time stamps."""
    rate: Fraction | None = None
    """Frames a second on average; None when unknown."""
    frames: int | None = None
    """How many frames there are between start and end, exactly; None when it cannot be known beforehand."""
    first: int = 0
    """Index in the whole video of the first frame that is delivered: above 0 with `start`."""
    duration: Fraction | None = None
    """Seconds between start and end; None when unknown."""
    origin: Fraction = Fraction(0)
    """Time stamp, in seconds, of the beginning: `start` and `end` count from here."""
    start: Fraction | None = None
    """Seconds from the beginning of the part that was asked for; None from the first frame on."""
    end: Fraction | None = None
    """Seconds from the beginning where that part ends; None to the last frame."""
    orientation: Orientation = UPRIGHT
    """How the coded picture is turned to be shown."""
    colour: ColourTags = ColourTags()
    """Colour tags of the first frame."""
    sample_aspect: Fraction = Fraction(1)
    """Width of a coded sample over its height."""
    codec: str = ""
    """FFmpeg's name of the codec, for example `h264`."""
    has_audio: bool = False
    """Whether sound comes with the pictures."""
    has_alpha: bool = False
    """Whether the pictures have an alpha channel."""
    interlaced: bool = False
    """Whether the first frame is interlaced; such frames are deinterlaced on the way."""
    path: str | None = None
    """What to open to read the other streams; None where there is nothing but pictures."""

    @property
    def rotation(self) -> int:
        """Degrees clockwise that the coded picture is turned to be shown: 0, 90, 180 or 270."""
        return self.orientation.rotation
