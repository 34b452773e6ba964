"""A pass over a video's packets, undecoded: how many frames there are, and when."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.media.seams import Seam, SeamFinder
from ptfan.engine.media.video_file import VideoFile

__all__ = ["PacketScan"]


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
    seams: tuple[Seam, ...]
    """Where the time stamps of a running clock jump back; `times` and `end` go on there."""

    @classmethod
    def of(cls, location: str, interlaced: bool) -> PacketScan:
        """Read all packets of a video.

        Args:
            location: What to open.
            interlaced: Whether a packet may hold one field rather than a frame.
        """
        scan, seams = cls._read(location, interlaced, ())
        return cls._read(location, interlaced, seams)[0] if seams else scan

    @classmethod
    def _read(cls, location: str, interlaced: bool, seams: tuple[Seam, ...]) -> tuple[PacketScan, tuple[Seam, ...]]:
        """Read all packets of a video whose seams are known so far; return those that there are as well."""
        file = VideoFile(location, seams=seams)
        try:
            tally, finder = _Tally(file, seams), SeamFinder(file.stream)
            for packet in file.packets():
                if packet.size:
                    tally.add(packet)
                    finder.add(packet)
            unclear = interlaced and tally.codec in ("h264", "hevc")
            found = finder.seams() if file.clocked else ()
        finally:
            file.close()
        frames = None if unclear or tally.unclear or not tally.packets else tally.shown
        return cls(tally.known_times(), frames, tally.packets, tally.end, tally.in_order, seams), found


class _Tally:
    """What is kept of the packets while they are read: little, as a long video has many."""

    def __init__(self, file: VideoFile, seams: Sequence[Seam]) -> None:
        self.codec = file.stream.codec_context.name
        self.in_order = file.container.format.name == "avi"
        self.unclear = self.in_order and self.codec == "mpeg4"  # it may pack two frames into one packet
        self.packets = self.shown = 0
        self.end: int | None = None
        self._times = array("q")
        self._first: int | None = None
        self._begins = {0, *(seam.packet for seam in seams)}

    def add(self, packet: av.Packet[av.VideoStream]) -> None:
        """Count a packet."""
        time = packet.dts if self.in_order else packet.pts
        shown = not (packet.is_discard or _is_hidden(packet, self.codec))
        if self.packets in self._begins:
            self.unclear |= not packet.is_keyframe
            self._first = time
        self.packets += 1
        self.shown += shown
        if time is not None:
            self.end = max(self.end or time, time + (packet.duration or 0))
            if shown:
                self._times.append(time)
                # What is shown before the first key frame refers to others, and the decoder may leave it out.
                self.unclear |= self._first is not None and time < self._first

    def known_times(self) -> NDArray[np.int64]:
        """Return the sorted time stamps, or none at all when they are not one for each frame."""
        known: NDArray[np.int64] = np.sort(np.array(self._times, np.int64))
        unique = len(known) == self.shown and bool((np.diff(known) > 0).all())
        return known if unique else known[:0]


def _is_hidden(packet: av.Packet[av.VideoStream], codec: str) -> bool:
    """Tell whether a packet holds a picture that is only referred to, as VP8 has them (RFC 6386, section 9.1)."""
    return codec in ("vp8", "libvpx") and not memoryview(packet)[0] & 0x10
