from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ptfan.engine.media.packet_scan import PacketScan
from ptfan.engine.media.span import Span
from ptfan.engine.media.video_probe import VideoProbe

Clips = Callable[..., Path]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_packets_tell_the_time_of_every_frame(name: str, clip: Clips, decoded):
    path = clip(name, frames=30, options={"g": "10"})
    scan = PacketScan.of(str(path), interlaced=False)
    times = [frame.pts for frame in decoded(path)]
    assert (scan.frames, scan.packets) == (30, 30)
    assert np.array_equal(scan.times, range(30) if name == "a.avi" else times)
    assert scan.end == scan.times[-1] + (scan.times[-1] - scan.times[-2])


def test_hidden_frames_are_not_counted(clip: Clips, decoded):
    path = clip(
        "a.webm",
        codec="libvpx",
        options={"auto-alt-ref": "1", "lag-in-frames": "16", "b": "200k"},
        frames=60,
        width=128,
        height=96,
    )
    assert PacketScan.of(str(path), interlaced=False).frames == len(decoded(path)) == 60


def test_fields_may_be_packets_of_their_own(clip: Clips):
    assert PacketScan.of(str(clip()), interlaced=True).frames is None


def test_a_stream_that_begins_amid_makes_no_promise(clip: Clips):
    path = clip("a.ts", frames=60, options={"g": "25"}, width=128, height=96)
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 3 // 188 * 188 :])
    assert PacketScan.of(str(path), interlaced=False).frames is None


def test_a_probe_knows_what_is_missing(clip: Clips):
    whole = clip("a.mp4", frames=60, width=128, height=96, container_options={"movflags": "faststart"})
    assert not VideoProbe.of(str(whole), Span()).missing
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    probe = VideoProbe.of(str(whole), Span())
    assert probe.missing
    assert probe.promised == 60


def test_a_probe_knows_where_a_span_begins(clip: Clips):
    times = [0, 90, 100, 300, 310, 500]
    info = VideoProbe.of(
        str(clip("a.mkv", time_base=Fraction(1, 1000), times=times, frames=6)), Span.of(0.1, 0.31)
    ).info
    assert (info.first, info.frames, info.begin) == (2, 2, Fraction(1, 10))
