from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ptfan.engine.media.frame_rate import constant_rate, is_mpeg_rate, nearest_mpeg_rate

MS = Fraction(1, 1000)


@pytest.mark.parametrize(
    ("times", "nominal", "rate"),
    [
        ([0, 33, 67, 100, 133], Fraction(30), Fraction(30)),
        ([21, 61, 101, 141], Fraction(25), Fraction(25)),
        ([0, 1000, 2000, 2017, 2034, 5000], Fraction(1), Fraction(1000, 17)),
        ([0, 1, 500], Fraction(4), Fraction(120)),
        ([7], Fraction(25), Fraction(25)),
        ([], Fraction(25), Fraction(25)),
    ],
)
def test_every_frame_gets_a_tick_of_its_own(times: list[int], nominal: Fraction, rate: Fraction):
    assert constant_rate(np.array(times, np.int64), MS, nominal) == rate


@pytest.mark.parametrize(
    ("rate", "nearest"),
    [
        (Fraction(25), Fraction(25)),
        (Fraction(2999, 100), Fraction(30)),
        (Fraction(2997, 100), Fraction(30000, 1001)),
        (Fraction(10), Fraction(30)),
        (Fraction(1000, 33), Fraction(50)),
        (Fraction(1000, 17), Fraction(60000, 1001)),
        (Fraction(120), Fraction(60)),
    ],
)
def test_the_nearest_rate_of_mpeg(rate: Fraction, nearest: Fraction):
    assert nearest_mpeg_rate(rate) == nearest


def test_what_mpeg_2_can_say():
    assert all(is_mpeg_rate(Fraction(*rate)) for rate in [(25, 1), (10, 1), (30000, 1001), (15, 2), (100, 1)])
    assert not is_mpeg_rate(Fraction(250, 69))
