"""A stream that is being copied, and which of its packets belong to the output at which time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av

from ptfan.engine.media.output_time import OutputTime
from ptfan.engine.media.seams import Companion
from ptfan.engine.media.silence import Silence

__all__ = ["StreamCopy", "Trial"]

Trial: TypeAlias = "Callable[[av.Packet[Any]], av.Packet[Any] | None]"
"""Takes a packet, and returns what is to be written of it; an error of FFmpeg's says that the output refuses it."""


@dataclass
class StreamCopy:
    """A stream that is being copied: where to, through what, and the last packet's times."""

    target: Any
    """The stream in the output."""
    place: int
    """Its index, once more: a stream of a container that is closed tells its own no more."""
    audible: bool
    """Whether it is sound."""
    ready: Trial
    """What packets go through before they are written."""
    name: str
    """What people call it."""
    from_zero: bool
    """Whether nothing of it may come before the output's time 0."""
    companion: Companion
    """Takes its packets over the seams of the source."""
    silence: Silence | None
    """Fills its gaps; None where these may stay."""
    time: Fraction = Fraction(0)
    """When the last packet was shown or heard, seconds of the output."""
    begin: int | None = None
    """Time stamp of the last packet in the source, ticks."""
    duration: int = 0
    """How long the last packet lasts, ticks."""
    last: int | None = None
    """Decoding time stamp of the last packet in the output, ticks."""
    refused: bool = False
    """Whether the output takes no more of it."""

    def move(self, packet: av.Packet[Any], output: OutputTime) -> bool:
        """Move a packet to the output's time; tell whether it belongs there. A subtitle is cut, sound is not."""
        if packet.stream.type == "video":  # a cover picture has no time
            packet.pts = packet.dts = 0
            return True
        if packet.pts is None:
            return False
        if self.audible:  # a last packet that lasts no time would not be heard
            packet.duration = self._lasting(packet.pts, packet.duration or 0)
        ticks = round(output.shift / packet.time_base)
        packet.dts = None if packet.dts is None else packet.dts - ticks
        return self._fit(packet, packet.pts - ticks, output)

    def _fit(self, packet: av.Packet[Any], first: int, output: OutputTime) -> bool:
        """Let a packet begin at a tick, and leave out what lies outside of the output; False where all of it does."""
        subtitle, last = packet.stream.type == "subtitle", first + (packet.duration or 0)
        end = None if output.end is None else round(output.end / packet.time_base)
        if end is not None and first >= end:
            return False
        if self.from_zero and first < 0:
            if last <= 0 or (output.cut and not subtitle):
                return False
            packet.duration, first, packet.dts = last, 0, None
        if subtitle and end is not None and last > end:
            packet.duration = end - first
        packet.dts = first if packet.dts is None else packet.dts
        packet.pts = first
        return True

    def _lasting(self, begin: int, duration: int) -> int:
        """Return how many ticks the next packet lasts; where it does not say, as long as the one before."""
        step = 0 if self.begin is None else max(0, begin - self.begin)
        self.begin, self.duration = begin, duration or self.duration or step
        return self.duration
