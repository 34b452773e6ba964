"""A pass over a video's packets, undecoded: how many frames there are and when."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["PacketScan"]


@dataclass(frozen=True, eq=False)
class PacketScan:
    """The time stamps of a stream's packets, as far as they can be read."""

    times: NDArray[np.int64]
    """Presentation time stamps in ticks, sorted; packets that are never shown are left out."""
    exact: bool
    """Whether each packet is known to be one frame with a time stamp of its own."""

    @classmethod
    def of(cls, location: str, index: int) -> PacketScan:
        """Read all packets of one stream.

        Args:
            location: What to open.
            index: The stream's place in the container.
        """
        times: list[int | None] = []
        with av.open(location) as container:
            stream = container.streams[index]
            try:
                for packet in container.demux(stream):
                    if packet.size and not packet.is_discard and _is_shown(packet):
                        times.append(packet.pts)
            except av.FFmpegError:
                pass  # what comes after cannot be decoded either
        known = np.array(sorted(time for time in times if time is not None), np.int64)
        exact = len(known) == len(times) and bool((np.diff(known) > 0).all())
        return cls(known, exact)


def _is_shown(packet: av.Packet) -> bool:
    """Tell whether a packet holds a frame that is shown: VP8 keeps hidden references in packets of their own."""
    return packet.stream.codec_context.name not in ("vp8", "libvpx") or bool(memoryview(packet)[0] & 0x10)
