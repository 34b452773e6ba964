from __future__ import annotations

import io

import pytest

from ptfan.training.evaluation.progress import EvaluationProgress
from tests.gone import Gone


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_tell_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream = io.StringIO()
    with EvaluationProgress(10, stream) as progress:
        for _ in range(4):  # these were kept from before, and say nothing of the pace
            progress.advance("kept", kept=True)
        now[0] = 30.0
        progress.advance("bear, box, telea")
        now[0] = 31.0
        progress.advance("too soon")
        now[0] = 60.0
        progress.advance("bear, box, s")
    assert stream.getvalue().splitlines() == [
        "5/10 results, 2:30 left: bear, box, telea",
        "7/10 results, 1:00 left: bear, box, s",
    ]


def test_a_terminal_gets_a_bar() -> None:
    stream = Terminal()
    with EvaluationProgress(2, stream) as progress:
        progress.advance("bear, box, telea")
        progress.advance("bear, box, s")
    assert "2/2" in stream.getvalue()
    assert "results" not in stream.getvalue()


def test_a_terminal_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with EvaluationProgress(1, Gone()) as progress:
        progress.advance("bear, box, telea")
    terminal = Terminal()
    with EvaluationProgress(1, terminal) as bar:
        assert bar._bar is not None
        monkeypatch.setattr(bar._bar, "stop", lambda: Gone().write(""))
