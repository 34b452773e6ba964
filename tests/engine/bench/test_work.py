from __future__ import annotations

from typing import Any

import pytest

from ptfan.engine.bench.work import Pace, Work, measure_pace
from ptfan.engine.spec import ModelSpec, StateSpec

COMMON: dict[str, Any] = {
    "name": "any",
    "window": 6,
    "stride": 3,
    "lookahead": 1,
    "parameters": 1000,
    "flop_per_pixel": 50.0,
}
PIXELS = 64 * 48


def test_a_window_computes_some_frames_twice() -> None:
    work = Work.of(ModelSpec(**COMMON), (64, 48), frames=6, kept=3)
    assert work.flop == 50 * PIXELS * 2
    # Eleven channels in and three out, four bytes each; the weights once for the whole window.
    assert work.bytes == pytest.approx((6 * 14 * 4 * PIXELS + 4 * 1000) / 3)


def test_a_step_reads_and_writes_what_it_carries() -> None:
    carried = (StateSpec(name="seen", channels=2, size=4, delays=(1, 3), precision="fp16"),)
    spec = ModelSpec(**COMMON, form="step", carried=carried, precision="fp16")
    work = Work.of(spec, (64, 48), frames=4, kept=4)
    assert work.flop == 50 * PIXELS
    # The flows alone are fp32. Read twice, written once: two channels of a sixteenth of the pixels.
    frame = (10 * 2 + 4 * 4) * PIXELS + 3 * 2 * 2 * PIXELS / 16
    assert work.bytes == pytest.approx(frame + 2 * 1000 / 4)


def test_the_floor_is_the_longer_of_the_two() -> None:
    pace = Pace(flop_per_second=1e9, bytes_per_second=1e8)
    assert Work(flop=2e6, bytes=1e5).floor_ms(pace) == pytest.approx(2)
    assert Work(flop=2e6, bytes=1e6).floor_ms(pace) == pytest.approx(10)


def test_the_pace_of_this_machine_is_one_of_a_machine() -> None:
    pace = measure_pace()
    assert 1e8 < pace.flop_per_second < 1e15
    assert 1e8 < pace.bytes_per_second < 1e14
