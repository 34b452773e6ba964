from __future__ import annotations

from fractions import Fraction

import numpy as np

from ptfan.engine.media.filter_chain import FilterChain, copy_frame
from tests.engine.media.timed_frame import timed_frame


def test_a_copy_has_memory_of_its_own():
    frame = timed_frame(7)
    copy = copy_frame(frame)
    np.frombuffer(memoryview(copy.planes[0]), np.uint8)[:] = 99
    assert np.frombuffer(memoryview(frame.planes[0]), np.uint8)[0] == 7
    assert (copy.pts, copy.time_base) == (7, Fraction(1, 100))


def test_filters_that_halve_the_time_base_are_put_right():
    chain = FilterChain([("bwdif", "mode=0")], timed_frame(0))
    frames = [out for pts in (0, 4, 9) for out in chain.push(timed_frame(pts))] + chain.push(None)
    assert [(frame.pts, frame.time_base) for frame in frames] == [(pts, Fraction(1, 100)) for pts in (0, 4, 9)]
