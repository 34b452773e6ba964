from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.bench.latency import Latency
from ptfan.engine.errors import InputError


@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=300))
def test_percentiles_are_calls_that_were_made(seconds: list[float]) -> None:
    latency = Latency.of(seconds)
    times = np.array(seconds) * 1e3
    for share, value in ((50, latency.median), (90, latency.p90), (95, latency.p95), (99, latency.p99)):
        assert value == np.percentile(times, share, method="inverted_cdf")
    assert latency.minimum == times.min()
    assert latency.maximum == times.max()
    assert latency.mean == pytest.approx(times.mean())
    assert latency.calls == len(seconds)


def test_a_run_is_steady_unless_its_slow_calls_are_far_off() -> None:
    assert Latency.of([1.0] * 95 + [9.0] * 5).steady
    assert not Latency.of([1.0] * 80 + [2.0] * 20).steady


def test_nothing_to_tell() -> None:
    with pytest.raises(InputError, match="no calls were timed"):
        Latency.of([])
