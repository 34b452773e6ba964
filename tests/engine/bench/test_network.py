from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ptfan.engine.bench.network import WARM_UP, measure_networks
from ptfan.engine.bench.run import BenchSettings, run_bench
from ptfan.engine.bench.subject import Subject
from ptfan.engine.bench.work import Work
from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.models import find_model
from ptfan.engine.runners.runner import open_runner

pytest.importorskip("onnxruntime")


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


@pytest.mark.parametrize(("model", "streams", "kept"), [("s", 1, 1), ("s", 2, 2), ("s-window", 1, 24)])
def test_a_call_finishes_the_frames_of_its_form(model: str, streams: int, kept: int) -> None:
    with open_runner(find_model(model), threads=1) as runner:
        subject = Subject(model, runner, (32, 24), streams=streams)
        assert subject.call() > 0
        assert subject.kept == kept
        assert subject.label.startswith(f"{model}, 32x24")


def test_what_does_not_fit_is_refused() -> None:
    with open_runner(find_model("s")) as s, open_runner(find_model("s-window")) as windows:
        with pytest.raises(InputError, match="size is 30x24, s takes multiples of 8"):
            Subject("s", s, (30, 24))
        with pytest.raises(InputError, match="2 streams: s-window is of the clip form"):
            Subject("s-window", windows, (32, 24), streams=2)
        with pytest.raises(InputError, match="window of 9: s is of the step form"):
            Subject("s", s, (32, 24), window=9)
    with pytest.raises(InputNotFoundError, match="none-such"):
        run_bench(BenchSettings(models=("none-such",)), quiet=True)
