"""Clock, colour tags, filter chains and the deinterlacer."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from ptfan.engine.media.clock import Clock
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.deinterlacer import deinterlace
from ptfan.engine.media.filter_chain import FilterChain, copy_frame


def _frame(pts: int | None, base: Fraction | None = Fraction(1, 100)) -> av.VideoFrame:
    frame = av.VideoFrame(16, 16, "yuv420p")
    for plane in frame.planes:
        np.frombuffer(memoryview(plane), np.uint8)[:] = (pts or 0) % 200
    if base:
        frame.time_base = base
    frame.pts = pts
    return frame


def test_time_stamps_always_increase():
    clock = Clock(Fraction(1, 100), Fraction(25))
    assert [clock.stamp(_frame(pts)) for pts in (None, None, 20, 20, 5, None, 90)] == [0, 4, 20, 21, 22, 26, 90]


def test_time_stamps_come_in_the_clock_s_ticks():
    clock, frame = Clock(Fraction(1, 100), None), _frame(3, Fraction(1, 50))
    assert clock.stamp(frame) == frame.pts == 6
    assert frame.time_base == Fraction(1, 100)


@pytest.mark.parametrize(
    ("old", "new", "tags"),
    [
        ("yuv420p", "yuv444p", ColourTags(9, 1, 9, 16)),
        ("rgb24", "yuv420p", ColourTags(1, 1, 1, 13)),
        ("rgb24", "yuvj420p", ColourTags(1, 2, 1, 13)),
        ("yuv420p", "yuvj420p", ColourTags(9, 2, 9, 16)),
        ("yuv420p", "rgb24", ColourTags(0, 2, 9, 16)),
    ],
)
def test_tags_after_conversion(old: str, new: str, tags: ColourTags):
    assert ColourTags(9, 1, 9, 16).converted(old, new) == tags


def test_tags_are_read_as_they_are_written():
    frame = _frame(0)
    ColourTags(9, 2, 9, 16).write(frame)
    assert ColourTags.of(frame) == ColourTags(9, 2, 9, 16)


def test_a_copy_has_memory_of_its_own():
    frame = _frame(7)
    copy = copy_frame(frame)
    np.frombuffer(memoryview(copy.planes[0]), np.uint8)[:] = 99
    assert np.frombuffer(memoryview(frame.planes[0]), np.uint8)[0] == 7
    assert (copy.pts, copy.time_base) == (7, Fraction(1, 100))


def test_filters_that_halve_the_time_base_are_put_right():
    chain = FilterChain([("bwdif", "mode=0")], _frame(0))
    frames = [out for pts in (0, 4, 9) for out in chain.push(_frame(pts))] + chain.push(None)
    assert [(frame.pts, frame.time_base) for frame in frames] == [(pts, Fraction(1, 100)) for pts in (0, 4, 9)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_as_many_frames_leave_as_come(count: int):
    frames = [_frame(pts) for pts in range(count)]
    assert [frame.pts for frame in deinterlace(frames, every=True, parity="tff")] == list(range(count))
    assert list(deinterlace(frames)) == frames  # progressive ones are passed on as they are


def test_deinterlacing_begins_with_the_first_interlaced_frame():
    progressive = [_frame(pts) for pts in range(3)]
    interlaced = [FilterChain([("setfield", "tff")], _frame(0)).push(_frame(pts))[0] for pts in range(3, 6)]
    result = list(deinterlace([*progressive, *interlaced, _frame(6)]))
    assert result[:3] == progressive
    assert [frame.pts for frame in result] == list(range(7))
    assert not any(frame.interlaced_frame for frame in result)
