from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ptfan.engine.bench.network import WARM_UP, measure_networks
from ptfan.engine.bench.work import Work


class FakeSubject:
    def __init__(self, label: str, seconds: float, kept: int, order: list[str]) -> None:
        self.model = self.label = label
        self.seconds, self.kept, self.frames, self.order = seconds, kept, kept + 1, order
        self.size, self.streams, self.work = (32, 24), 1, Work(flop=1e6, bytes=1e3)
        self.runner = SimpleNamespace(backend="fake", spec=SimpleNamespace(form="clip", numbers="fp32"))

    def call(self) -> float:
        self.order.append(self.label)
        return self.seconds


def test_subjects_take_turns_and_are_compared_by_finished_frame() -> None:
    order: list[str] = []
    rounds: list[None] = []
    subjects: list[Any] = [FakeSubject("a", 0.6, 24, order), FakeSubject("b", 0.01, 1, order)]
    a, b = measure_networks(subjects, 3, lambda: rounds.append(None))
    assert order == ["a"] * WARM_UP + ["b"] * WARM_UP + ["a", "b"] * 3
    assert len(rounds) == 3
    assert [a.ratio, a.frame_ms, a.throughput] == pytest.approx([1.0, 25, 40])
    assert [b.ratio, b.frame_ms, b.throughput] == pytest.approx([2.5, 10, 100])
    assert a.times == pytest.approx([600] * 3)
    assert (b.frames, b.kept, b.latency.calls) == (2, 1, 3)


def test_the_calls_that_do_not_count_may_be_fewer() -> None:
    order: list[str] = []
    subjects: list[Any] = [FakeSubject("a", 0.6, 24, order), FakeSubject("b", 0.01, 1, order)]
    measure_networks(subjects, 1, warm_up=1)
    assert order == ["a", "b", "a", "b"]
