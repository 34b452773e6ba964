from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ptfan.engine.bench.clip_length import measure_clips
from ptfan.engine.bench.subject import Subject


class FakeSubject:
    """One that takes a second a frame, and one more to flush each clip."""

    streams = 1

    def __init__(self, label: str, order: list[tuple[str, int]]) -> None:
        self.label, self.order = label, order
        self.runner = SimpleNamespace(spec=SimpleNamespace(form="step"))

    def clip(self, length: int) -> tuple[float, float]:
        self.order.append((self.label, length))
        return length + 1.0, 1.0


def test_clips_take_turns_and_cost_is_told_by_frame() -> None:
    order: list[tuple[str, int]] = []
    subjects: list[Any] = [FakeSubject("a", order), FakeSubject("b", order)]
    found = measure_clips(subjects, (2, 4), 2)
    assert order == [("a", 2), ("b", 2), ("a", 4), ("b", 4)] * 2
    assert [(item.label, item.length, item.frame_ms, item.flush_ms) for item in found] == [
        ("a", 2, 1500, 500), ("a", 4, 1250, 250), ("b", 2, 1500, 500), ("b", 4, 1250, 250),
    ]  # fmt: skip


@pytest.mark.parametrize(("length", "windows"), [(1, [1]), (6, [6, 6]), (7, [6, 6]), (20, [6] * 6)])
def test_a_clip_is_shown_in_the_windows_of_the_runtime(runner: Callable, length: int, windows: list[int]) -> None:
    fake = runner(window=6, stride=3)
    Subject("fake", fake, (32, 24)).clip(length)
    assert [len(call["frames"]) for call in fake.calls] == windows


@pytest.mark.parametrize(("length", "windows"), [(1, 1), (6, 2), (20, 6)])
def test_a_fixed_window_is_always_whole(runner: Callable, length: int, windows: int) -> None:
    fake = runner(window=6, stride=3, fixed_window=6)
    Subject("fake", fake, (32, 24)).clip(length)
    assert [len(call["frames"]) for call in fake.calls] == [6] * windows


def test_a_stepped_clip_is_flushed(step_runner: Callable) -> None:
    fake = step_runner()
    Subject("fake", fake, (32, 24), streams=2).clip(5)
    assert [call["live"][:, 0].tolist() for call in fake.calls] == [[1, 1]] * 5 + [[0, 0]]
