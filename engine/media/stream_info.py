"""What is known of a source before its pictures are read."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ptfan.engine.media.colour import UNTAGGED, ColourTags
from ptfan.engine.media.hdr import Hdr
from ptfan.engine.media.orientation import UPRIGHT, Orientation
from ptfan.engine.media.seams import Seam
from ptfan.engine.media.span import EVERYTHING, Span

__all__ = ["StreamInfo"]


@dataclass(frozen=True)
class StreamInfo:
    """A source's size, timing and format. Sizes are those of the picture as displayed."""

    name: str
    """The file, folder or `-` as the user named it, or a URL without passwords."""
    width: int
    """Width as displayed, pixels."""
    height: int
    """Height as displayed, pixels."""
    depth: int
    """Bits a sample, 8 to 16; above 8 the images are uint16."""
    pixel_format: str
    """FFmpeg's name of the native frames' format, for example `yuv420p`."""
    time_base: Fraction
    """Seconds a tick of the time stamps."""
    rate: Fraction | None = None
    """Frames a second on average; None when unknown."""
    constant_rate: Fraction | None = None
    """Frames a second at which every frame gets a tick of its own, near its time; None when it is the average rate,
    or unknown."""
    frames: int | None = None
    """How many frames there are in the span, exactly; None when it cannot be known without decoding them."""
    total: int | None = None
    """How many frames the whole source has, whatever the span; None when not known."""
    first: int = 0
    """Index, in the whole source, of the first frame that is delivered; above 0 only with a start."""
    duration: Fraction | None = None
    """Seconds that the span lasts; None when unknown."""
    origin: Fraction = Fraction(0)
    """Time stamp, in seconds, of the source's beginning: the span counts from here."""
    opening: Fraction = Fraction(0)
    """Time stamp, in seconds, of the whole source's first frame, or as near as can be known."""
    begin: Fraction = Fraction(0)
    """Time stamp, in seconds, of the first frame that is delivered, or as near as can be known."""
    span: Span = EVERYTHING
    """The part of the source that was asked for."""
    orientation: Orientation = UPRIGHT
    """How the coded picture is turned to be shown."""
    colour: ColourTags = UNTAGGED
    """Colour tags of the first frame."""
    hdr: Hdr | None = None
    """HDR10's metadata of the first frame; None where it has none."""
    sample_aspect: Fraction | None = None
    """Width of a coded sample over its height; None when not said, and then taken for 1."""
    chroma_site: str = ""
    """Where 4:2:0 has its chroma samples, in the words of Y4M: `jpeg`, `mpeg2`, `paldv`; empty when not said."""
    codec: str = ""
    """FFmpeg's name of the codec, for example `h264`; empty for images and raw streams."""
    companions: tuple[str, ...] = ()
    """The sound and subtitles that come with the pictures, as people name them."""
    has_alpha: bool = False
    """Whether the native frames have an alpha channel."""
    interlaced: bool = False
    """Whether the first frame is interlaced; interlaced frames are deinterlaced on the way."""
    path: str | None = None
    """What to open to read the sound and all that comes along; None where there is nothing but pictures."""
    clocked: bool = False
    """Whether time stamps come from a running clock, as in broadcasts, whose zero means nothing."""
    stems: tuple[str, ...] = ()
    """The names of all images of a folder, without their endings; nothing for other sources."""
    timed: bool = True
    """Whether the frames have times of their own; else the rate is a guess."""
    seams: tuple[Seam, ...] = ()
    """Where the file's time stamps jump back; those that are delivered go on there."""
