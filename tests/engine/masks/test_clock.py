"""Masks of another rate than the frames', by time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.errors import MaskError
from ptfan.engine.masks.clock import MaskClock, MaskTimes, is_same_rate
from ptfan.engine.media import StreamInfo
from ptfan.engine.media.span import Span

RATES = st.sampled_from([Fraction(24000, 1001), *map(Fraction, (5, 10, 12, 15, 24, 25, 30, 50, 60))])


def times(count: int, rate: Fraction) -> MaskTimes:
    return MaskTimes(np.arange(count) / float(rate), rate)


def info(frames: int, rate: Fraction, **settings: Any) -> StreamInfo:
    whole: dict[str, Any] = {
        "name": "x", "width": 8, "height": 8, "depth": 8, "pixel_format": "gray", "time_base": 1 / rate, "rate": rate,
        "duration": frames / rate,
    }  # fmt: skip
    return StreamInfo(**(whole | settings))


@given(RATES, RATES, st.integers(0, 500), st.booleans())
def test_a_frame_gets_the_last_mask_that_is_shown_by_its_time(
    frames: Fraction, masks: Fraction, number: int, rounded: bool
) -> None:
    """Against exact fractions, also where the container has rounded the frame's time to milliseconds."""
    time = number / frames
    stamp = Fraction(round(time * 1000), 1000) if rounded else time
    clock = MaskClock(times(6200, masks), info(501, frames, opening=Fraction(3)), "m")
    index = clock.index_of(stamp + 3)
    assert index / masks <= time + Fraction(3, 1000)
    assert (index + 1) / masks > time
    assert clock.index_of(stamp + 3 + 1 / frames) >= index


def test_half_and_twice_the_rate() -> None:
    frames = [Fraction(number, 30) for number in range(6)]
    slow, fast = (
        MaskClock(times(count, Fraction(rate)), info(6, Fraction(30)), "m") for count, rate in ((3, 15), (12, 60))
    )
    assert [slow.index_of(time) for time in frames] == [0, 0, 1, 1, 2, 2]
    assert [fast.index_of(time) for time in frames] == [0, 2, 4, 6, 8, 10]


def test_the_last_mask_stays_for_a_moment_and_no_longer() -> None:
    ending = times(10, Fraction(10))
    assert [ending.index_at(moment) for moment in (0.95, 1.0, 1.09, 1.11)] == [9, 9, 9, 10]


def test_lengths_are_compared_by_time() -> None:
    rate = Fraction(25)
    enough, short, long = (MaskClock(times(count, Fraction(10)), info(100, rate), "m") for count in (40, 30, 60))
    assert enough.check_length() is None
    with pytest.raises(MaskError, match=r"mask m: lasts 3\.000 s for 4\.000 s of video; give masks to its end, or one"):
        short.check_length()
    assert long.check_length() == "mask m: lasts 6.000 s for 4.000 s of video; what is left is not used"
    part = info(50, rate, span=Span(Fraction(1), Fraction(3)), first=25)
    assert MaskClock(times(30, Fraction(10)), part, "m").check_length() is None
    assert MaskClock(times(60, Fraction(10)), part, "m").check_length() is None
    assert MaskClock(times(1, Fraction(10)), info(9, rate, duration=None), "m").check_length() is None


def test_times_are_those_of_the_packets(tmp_path: Path) -> None:
    stamps = [500, 533, 700, 1500]
    with av.open(str(tmp_path / "m.mkv"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"bf": "2"})
        stream.width = stream.height = 32
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", Fraction(1, 1000)
        for stamp in stamps:
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 32), np.uint8), format="yuv420p")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(tmp_path / "m.mkv")) as opened:
        assert MaskTimes.of(opened, Fraction(25)).times == pytest.approx([0, 0.033, 0.2, 1.0])


def test_rates_are_the_same_but_for_rounding() -> None:
    assert is_same_rate(Fraction(30), Fraction(30001, 1000))
    assert is_same_rate(Fraction(2997, 125), Fraction(24000, 1001))
    assert not is_same_rate(Fraction(30), Fraction(30000, 1001))
