import pytest

from ptfan.training.runs.config import ScheduleConfig
from ptfan.training.runs.schedule import rate_factor


def test_the_rate_rises_and_falls_along_a_cosine() -> None:
    config = ScheduleConfig(warmup=10)
    rates = [rate_factor(config, step, 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.505)
    assert rates[100] == pytest.approx(0.01)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_the_rate_falls_by_steps() -> None:
    config = ScheduleConfig(kind="step", warmup=0, decay=0.5, decay_every=3)
    assert [rate_factor(config, step, 100) for step in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_a_lengthened_run_stays_at_the_floor() -> None:
    assert rate_factor(ScheduleConfig(floor=0.2), 5000, 1000) == pytest.approx(0.2)
