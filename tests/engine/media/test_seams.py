"""Recordings put one behind the other, whose time stamps begin anew."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ptfan.engine.media import open_source
from ptfan.engine.media.packet_scan import PacketScan
from ptfan.engine.media.seams import Companion, Seam

Clips = Callable[..., Path]
FRAME = Fraction(1, 25)
BASE = Fraction(1, 90000)


def _part(clip: Clips, name: str, begin: int, frames: int = 20) -> bytes:
    """A recording with sound that begins so many seconds after its clock did."""
    times = [90000 * begin + 3600 * index for index in range(frames)]
    audio_from = Fraction(begin)
    return clip(name, time_base=BASE, times=times, frames=frames, audio="aac", audio_from=audio_from).read_bytes()


@pytest.fixture
def joined(clip: Clips, tmp_path: Path) -> Callable[..., Path]:
    """Put recordings that begin at these seconds one behind the other."""

    def make(*begins: int) -> Path:
        path = tmp_path / "joined.ts"
        path.write_bytes(b"".join(_part(clip, f"{number}.ts", begin) for number, begin in enumerate(begins)))
        return path

    return make


def _sound(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return [packet.pts * packet.time_base for packet in container.demux(audio=0) if packet.size]


@pytest.mark.parametrize("begins", [(1, 1), (7, 1), (3, 3, 3)])
def test_time_goes_on_at_a_seam(begins: tuple[int, ...], joined):
    warnings: list[str] = []
    path = joined(*begins)
    with open_source(path, warn=warnings.append) as source:
        times = [sample.time for sample in source]
    assert np.allclose(np.diff(np.array(times, float)), 0.04)
    assert source.info.frames == len(times) == 20 * len(begins)
    often = "once" if len(begins) == 2 else "2 times"
    assert warnings == [
        f"{path}: its time stamps jump back {often}, as where recordings were joined; "
        "what lies behind is shown right after what lies before"
    ]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_sound_goes_on_with_the_pictures(ending: str, joined, convert, decoded, tmp_path: Path):
    source, output = joined(1, 1), tmp_path / f"out.{ending}"
    (warning,) = convert(source, output)
    assert "jump back once" in warning
    pictures, sound = [float(frame.time) for frame in decoded(output)], [float(time) for time in _sound(output)]
    assert np.allclose(np.diff(pictures), 0.04, atol=0.002)
    assert np.diff(sound).min() > 0
    assert np.diff(sound).max() < 0.07  # at a seam one of AAC's frames may be missing
    half = [float(time) for time in _sound(source)]
    begin = next(number for number, time in enumerate(half) if number and time < half[number - 1])
    apart = pictures[20] - pictures[0]
    found = min(sound, key=lambda time: abs(time - sound[0] - half[begin] + half[0] - apart))
    assert found - sound[0] == pytest.approx(half[begin] - half[0] + apart, abs=0.002)


def test_a_span_counts_on_behind_a_seam(joined, convert, decoded, tmp_path: Path):
    output = tmp_path / "out.mp4"
    with open_source(joined(1, 1)) as source:
        whole = [sample.image for sample in source]
    convert(tmp_path / "joined.ts", output, start=1.0, end=1.2)
    assert len(decoded(output)) in (5, 6)
    with open_source(tmp_path / "joined.ts", 1.0, 1.2) as source:
        for sample in source:
            assert 20 < sample.index < 40
            assert np.array_equal(sample.image, whole[sample.index])


def test_a_gap_or_a_small_flaw_is_no_seam(clip: Clips, joined):
    assert PacketScan.of(str(joined(1, 7)), interlaced=False).seams == ()
    assert PacketScan.of(str(clip("in.mp4")), interlaced=False).seams == ()


def test_subtitles_and_streams_that_come_late_find_their_part():
    seams = [Seam(10, 1000, Fraction(5)), Seam(20, 2000, Fraction(9))]
    words, sound = Companion(seams), Companion(seams)
    assert [_moved(words, "subtitle", *at) for at in [(100, 1), (1100, 2), (2500, 3)]] == [1, 7, 12]
    assert [_moved(sound, "audio", *at) for at in [(100, 1), (1100, 2), (1200, 0), (1900, 1), (2500, 0)]] == [
        1,
        2,  # behind the picture that is the first one behind the seam, and yet before it
        5,
        6,
        9,
    ]


def _moved(companion: Companion, kind: str, position: int, seconds: int) -> Fraction:
    packet = _Packet(kind, position, seconds)
    companion.move(packet)  # type: ignore[arg-type]
    return packet.pts * packet.time_base


class _Packet:
    """As much of a packet as a companion looks at; those of PyAV cannot be told where they lie."""

    time_base = BASE

    def __init__(self, kind: str, position: int, seconds: int) -> None:
        self.stream = type("Stream", (), {"type": kind})
        self.pos = position
        self.pts = self.dts = seconds * 90000
