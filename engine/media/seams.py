"""Places in a file where time stamps jump back, as where recordings were put one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from ptfan.engine.media.frame_rate import USUAL_RATE

__all__ = ["Companion", "Seam", "SeamFinder", "Splicer"]

_JITTER = Fraction(1, 10)
"""Seconds by which time stamps may go back before it counts as a jump; the flaws of a broadcast are smaller."""
_NEAR = 8 << 20
"""Bytes between the first picture behind a seam and the sound of the same moment, at most."""


@dataclass(frozen=True)
class Seam:
    """One such place."""

    packet: int
    """Which packet of the pictures is the first one behind it, from 0."""
    position: int
    """Where that packet lies in the file, bytes."""
    shift: Fraction
    """Seconds to add to all time stamps behind it, so that the first picture follows the last one before it."""


@dataclass
class _Part:
    """What lies between two seams; time in ticks."""

    packet: int
    position: int
    first: int
    end: int


class SeamFinder:
    """Finds the seams while the pictures' packets are read."""

    def __init__(self, stream: av.VideoStream) -> None:
        """Begin with a stream."""
        self._base = stream.time_base or Fraction(1, 90000)
        self._step = max(1, round(1 / ((stream.average_rate or USUAL_RATE) * self._base)))
        self._parts: list[_Part] = []
        self._last: int | None = None
        self._count = 0

    def add(self, packet: av.Packet[av.VideoStream]) -> None:
        """Take the next packet."""
        number, self._count = self._count, self._count + 1
        decoded = packet.pts if packet.dts is None else packet.dts
        if packet.pts is None or decoded is None:
            return
        jumped = self._last is not None and decoded < self._last - _JITTER / self._base
        self._last = decoded
        if jumped or not self._parts:
            self._parts.append(_Part(number, packet.pos or 0, packet.pts, packet.pts))
        part = self._parts[-1]
        part.first = min(part.first, packet.pts)
        part.end = max(part.end, packet.pts + (packet.duration or self._step))

    def seams(self) -> tuple[Seam, ...]:
        """Return the seams in order."""
        found, shift = [], 0
        for before, part in zip(self._parts, self._parts[1:], strict=False):
            shift += before.end - part.first
            found.append(Seam(part.packet, part.position, shift * self._base))
        return tuple(found)


class Splicer:
    """Moves the pictures' packets, read from the file's beginning on, so that time goes on at each seam."""

    def __init__(self, seams: Sequence[Seam]) -> None:
        """Begin before the first packet."""
        self._seams, self._count, self._passed = seams, 0, 0

    def move(self, packet: av.Packet[av.VideoStream]) -> None:
        """Set the time stamps of the next packet."""
        while self._passed < len(self._seams) and self._seams[self._passed].packet <= self._count:
            self._passed += 1
        self._count += 1
        _shift(packet, self._seams, self._passed)


class Companion:
    """Moves the packets of another stream, such as sound, in the same way.

    Its own time stamps jump back where sound begins anew, a little before or behind the first picture. What comes now
    and then, such as subtitles, need not jump: it is behind a seam when it lies there in the file.
    """

    def __init__(self, seams: Sequence[Seam]) -> None:
        """Begin before the first packet."""
        self._seams, self._passed = seams, 0
        self._last: Fraction | None = None

    def move(self, packet: av.Packet[Any]) -> None:
        """Set the time stamps of the next packet."""
        ticks = packet.pts if packet.dts is None else packet.dts
        if not self._seams or ticks is None:
            return
        time = ticks * packet.time_base
        jumped = self._last is not None and time < self._last - _JITTER
        self._last = time
        self._passed = self._behind(packet, jumped)
        _shift(packet, self._seams, self._passed)

    def _behind(self, packet: av.Packet[Any], jumped: bool) -> int:
        """Return how many seams a packet is behind."""
        if packet.pos is None:
            return min(self._passed + jumped, len(self._seams))
        certain, here, near = (
            sum(seam.position + margin <= packet.pos for seam in self._seams)
            for margin in (0 if packet.stream.type == "subtitle" else _NEAR, 0, -_NEAR)
        )
        if jumped:
            return max(self._passed, min(max(self._passed + 1, here), near))
        return max(self._passed, certain)


def _shift(packet: av.Packet[Any], seams: Sequence[Seam], passed: int) -> None:
    """Add the shift of the last seam that was passed to a packet's time stamps."""
    if not passed:
        return
    ticks = round(seams[passed - 1].shift / packet.time_base)
    packet.pts = None if packet.pts is None else packet.pts + ticks
    packet.dts = None if packet.dts is None else packet.dts + ticks
