from __future__ import annotations

import pytest

from ptfan.engine.media.deinterlacer import deinterlace
from ptfan.engine.media.filter_chain import FilterChain
from tests.engine.media.timed_frame import timed_frame


@pytest.mark.parametrize("count", [1, 2, 5])
def test_as_many_frames_leave_as_come(count: int):
    frames = [timed_frame(pts) for pts in range(count)]
    assert [frame.pts for frame in deinterlace(frames, every=True, parity="tff")] == list(range(count))
    assert list(deinterlace(frames)) == frames  # progressive ones are passed on as they are


def test_deinterlacing_begins_with_the_first_interlacedtimed_frame():
    progressive = [timed_frame(pts) for pts in range(3)]
    interlaced = [FilterChain([("setfield", "tff")], timed_frame(0)).push(timed_frame(pts))[0] for pts in range(3, 6)]
    result = list(deinterlace([*progressive, *interlaced, timed_frame(6)]))
    assert result[:3] == progressive
    assert [frame.pts for frame in result] == list(range(7))
    assert not any(frame.interlaced_frame for frame in result)


def test_frames_of_another_size_get_a_filter_of_their_own():
    """In the filter of the ones before, they would be read beyond their memory."""
    marked = FilterChain([("setfield", "tff")], timed_frame(0))
    large = [marked.push(timed_frame(pts))[0] for pts in range(3)]
    shrunk = FilterChain([("scale", "8:8"), ("setfield", "tff")], timed_frame(0))
    small = [shrunk.push(timed_frame(pts))[0] for pts in range(3, 6)]
    result = list(deinterlace([*large, *small]))
    assert [(frame.pts, frame.width, frame.height) for frame in result] == [
        *((pts, 16, 16) for pts in range(3)), *((pts, 8, 8) for pts in range(3, 6)),
    ]  # fmt: skip
