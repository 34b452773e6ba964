"""Silence for the gaps of uncompressed sound, where a container plays it without regard to its times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

__all__ = ["Silence", "is_uncompressed"]

_SILENT = {"pcm_u8": b"\x80", "pcm_mulaw": b"\xff", "pcm_alaw": b"\xd5"}
"""The byte of silence by codec; 0 in all others."""
_GAP = Fraction(1, 25)
"""Seconds of the shortest gap that is filled: time stamps are rounded."""


class Silence:
    """Fills the gaps of one stream, counting its samples from time 0 on."""

    def __init__(self, stream: Any) -> None:
        """Begin with a stream of PCM, see `is_uncompressed`."""
        context, codec = stream.codec_context, stream.codec_context.codec.canonical_name
        bits = re.search(r"\d+", codec)
        self._frame = _SILENT.get(codec, b"\0") * (int(bits[0]) // 8 if bits else 1) * context.channels
        self._rate, self._samples = context.sample_rate, 0

    def before(self, packet: av.Packet[Any]) -> Iterator[av.Packet[Any]]:
        """Yield what fills the gap before a packet, a second each at most."""
        assert packet.pts is not None
        begin = round(packet.pts * packet.time_base * self._rate)
        if begin - self._samples > _GAP * self._rate:
            yield from self._fill(begin)
        self._samples += packet.size // len(self._frame)

    def until(self, moment: Fraction) -> Iterator[av.Packet[Any]]:
        """Yield what fills the time from the last packet's end up to a moment, in seconds."""
        yield from self._fill(round(moment * self._rate))

    def _fill(self, end: int) -> Iterator[av.Packet[Any]]:
        for start in range(self._samples, end, self._rate):
            yield self._quiet(start, min(self._rate, end - start))
        self._samples = max(self._samples, end)

    def _quiet(self, start: int, samples: int) -> av.Packet[Any]:
        packet: av.Packet[Any] = av.Packet(self._frame * samples)
        packet.pts = packet.dts = start
        packet.duration, packet.time_base = samples, Fraction(1, self._rate)
        return packet


def is_uncompressed(stream: Any) -> bool:
    """Tell whether a stream is PCM."""
    return stream.type == "audio" and bool(stream.codec_context.codec.canonical_name.startswith("pcm_"))
