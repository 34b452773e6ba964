"""A pass over a video's packets, undecoded: how many frames there are, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.media.video_file import VideoFile

__all__ = ["PacketScan"]


@dataclass(frozen=True)
class _Stamp:
    """What is kept of a packet: its time stamp and duration in ticks, and what becomes of it."""

    pts: int | None
    duration: int
    key: bool
    shown: bool


@dataclass(frozen=True, eq=False)
class PacketScan:
    """The packets of a video stream, as far as they can be read."""

    times: NDArray[np.int64]
    """Time stamps of the frames that are shown, in ticks, sorted; empty where a packet has none or shares one."""
    frames: int | None
    """Frames that are shown; None where packets do not tell."""
    packets: int
    """All whole packets, shown or not."""
    end: int | None
    """The moment, in ticks, at which the last packet ends; None without time stamps."""
    in_order: bool
    """Whether `times` belong to the frames in the order that they are shown in, whatever the decoder says: AVI keeps
    only the order of decoding, and what FFmpeg makes of it goes astray where frames are reordered."""

    @classmethod
    def of(cls, location: str, interlaced: bool) -> PacketScan:
        """Read all packets of a video.

        Args:
            location: What to open.
            interlaced: Whether a packet may hold one field rather than a frame.
        """
        file = VideoFile(location)
        try:
            stamps = _read(file)
            codec, is_avi = file.stream.codec_context.name, file.container.format.name == "avi"
        finally:
            file.close()
        unclear = (interlaced and codec in ("h264", "hevc")) or (codec == "mpeg4" and is_avi)
        shown = [stamp for stamp in stamps if stamp.shown]
        ends = [stamp.pts + stamp.duration for stamp in stamps if stamp.pts is not None]
        frames = None if unclear or _begins_amid(stamps) else len(shown)
        return cls(_times(shown), frames, len(stamps), max(ends, default=None), is_avi)


def _read(file: VideoFile) -> list[_Stamp]:
    """Return a stamp for each packet that is whole."""
    hides = file.stream.codec_context.name in ("vp8", "libvpx")
    in_order = file.container.format.name == "avi"
    return [
        _Stamp(
            packet.dts if in_order else packet.pts,
            packet.duration or 0,
            packet.is_keyframe,
            not (hides and _is_hidden(packet)) and not packet.is_discard,
        )
        for packet in file.packets()
        if packet.size
    ]


def _is_hidden(packet: av.Packet[av.VideoStream]) -> bool:
    """Tell whether a VP8 packet holds a picture that is only referred to (RFC 6386, section 9.1)."""
    return not memoryview(packet)[0] & 0x10


def _begins_amid(stamps: Sequence[_Stamp]) -> bool:
    """Tell whether pictures at the beginning refer to others that are not there, and may be left out by the decoder."""
    if not stamps or not stamps[0].key:
        return True
    first = stamps[0].pts
    return first is not None and any(stamp.shown and stamp.pts is not None and stamp.pts < first for stamp in stamps)


def _times(shown: Sequence[_Stamp]) -> NDArray[np.int64]:
    """Return the sorted time stamps, or none at all when they are not one for each frame."""
    known = np.array(sorted(stamp.pts for stamp in shown if stamp.pts is not None), np.int64)
    unique = len(known) == len(shown) and bool((np.diff(known) > 0).all())
    return known if unique else known[:0]
