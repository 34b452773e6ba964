from __future__ import annotations

from fractions import Fraction

from ptfan.engine.media.clock import Clock
from tests.engine.media.timed_frame import timed_frame


def test_time_stamps_always_increase():
    clock = Clock(Fraction(1, 100), Fraction(25))
    assert [clock.stamp(timed_frame(pts)) for pts in (None, None, 20, 20, 5, None, 90)] == [0, 4, 20, 21, 22, 26, 90]


def test_time_stamps_come_in_the_clock_s_ticks():
    clock, frame = Clock(Fraction(1, 100), None), timed_frame(3, Fraction(1, 50))
    assert clock.stamp(frame) == frame.pts == 6
    assert frame.time_base == Fraction(1, 100)
