from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import av
import pytest

from ptfan.engine.media.silence import Silence

RATE = 1000


def sound(codec: str, channels: int = 2) -> Any:
    context = SimpleNamespace(codec=SimpleNamespace(canonical_name=codec), channels=channels, sample_rate=RATE)
    return SimpleNamespace(type="audio", codec_context=context)


def packet(begin: int, samples: int, size: int) -> av.Packet[Any]:
    made: av.Packet[Any] = av.Packet(bytes(samples * size))
    made.pts = made.dts = begin
    made.time_base = Fraction(1, RATE)
    return made


@pytest.mark.parametrize(
    ("codec", "frame"),
    [("pcm_s16le", bytes(4)), ("pcm_u8", b"\x80\x80"), ("pcm_s24le", bytes(6)), ("pcm_mulaw", b"\xff\xff")],
)
def test_gaps_are_filled_to_the_sample(codec: str, frame: bytes) -> None:
    silence, size = Silence(sound(codec)), len(frame)
    assert [bytes(made) for made in silence.before(packet(300, 100, size))] == [frame * 300]
    assert list(silence.before(packet(410, 100, size))) == [], "time stamps are rounded"
    long = list(silence.before(packet(2700, 100, size)))
    assert [(made.pts, bytes(made)) for made in long] == [
        (500, frame * 1000),
        (1500, frame * 1000),
        (2500, frame * 200),
    ]
    assert list(silence.before(packet(2800, 100, size))) == []


def test_what_lies_behind_the_last_packet_is_filled_up_to_a_moment() -> None:
    silence = Silence(sound("pcm_s16le"))
    assert list(silence.before(packet(0, 100, 4))) == []
    assert [(made.pts, bytes(made)) for made in silence.until(Fraction(15, 100))] == [(100, bytes(200))]
    assert list(silence.until(Fraction(1, 10))) == []
