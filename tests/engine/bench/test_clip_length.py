from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ptfan.engine.bench.clip_length import measure_clips


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
