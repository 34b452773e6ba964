from __future__ import annotations

import io
import sys

import pytest

from ptfan.engine import progress
from ptfan.engine.progress import BarProgress, LineProgress, NoProgress, choose_progress, running
from tests.gone import Gone


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_lines_come_every_few_seconds_with_speed_and_time_left(clock: Clock) -> None:
    stream = io.StringIO()
    lines = LineProgress(stream, every=5)
    lines.start("a.mp4", 100)
    for _ in range(24):
        clock.now += 0.5
        lines.advance()
    lines.finish()
    assert stream.getvalue().splitlines() == [
        "a.mp4: 10/100 frames (10 %), 2.0 frames/s, 0:45 left",
        "a.mp4: 20/100 frames (20 %), 2.0 frames/s, 0:40 left",
    ]


def test_a_terminal_obeys_nothing_in_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "[b].mp4\x1b]0;title\x07\x9b2J\u202e\nptfan: done"
    shown = r"[b].mp4\x1b]0;title\x07\x9b2J\u202e\nptfan: done"
    stream = io.StringIO()
    progress.tell(name, stream)
    assert stream.getvalue() == f"{shown}\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = BarProgress()
    bar.start(f"{name} [/b]", 2)
    bar.finish()
    assert f"{shown} [/b]" in terminal.getvalue()


def test_a_length_that_is_not_known_is_not_made_up(clock: Clock) -> None:
    stream = io.StringIO()
    lines = LineProgress(stream, every=5)
    lines.start("-", None)
    clock.now += 5
    lines.advance()
    assert stream.getvalue() == "-: 1 frames, 0.2 frames/s\n"


def test_a_second_run_counts_from_the_beginning(clock: Clock) -> None:
    stream = io.StringIO()
    lines = LineProgress(stream, every=1)
    for name in ("a", "b"):
        lines.start(name, 2)
        clock.now += 1
        lines.advance()
        lines.finish()
    assert [line.split(" (")[0] for line in stream.getvalue().splitlines()] == ["a: 1/2 frames", "b: 1/2 frames"]


def test_a_run_that_fails_is_over_all_the_same(clock: Clock) -> None:
    told: list[object] = []

    class Told(NoProgress):
        def start(self, name: str, total: int | None, unit: str = "frames") -> None:
            told.append((name, total, unit))

        def finish(self) -> None:
            told.append("over")

    with pytest.raises(KeyError), running(Told(), "a", 3, "clips"):
        raise KeyError
    assert told == [("a", 3, "clips"), "over"]


def test_what_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(choose_progress(quiet=True), NoProgress)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(choose_progress(quiet=False), LineProgress)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert isinstance(choose_progress(quiet=False), BarProgress)


@pytest.mark.parametrize("total", [3, None])
def test_the_bar_goes_to_standard_error_and_goes_away(capsys: pytest.CaptureFixture[str], total: int | None) -> None:
    bar = BarProgress()
    bar.finish()
    for name in ("a.mp4", "b.mp4"):
        bar.start(name, total)
        for _ in range(3):
            bar.advance()
        bar.finish()
    bar.advance()
    assert capsys.readouterr().out == ""


def test_a_terminal_that_is_gone_stops_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = LineProgress(Gone(), every=1)
    lines.start("a.mp4", 2)
    clock.now += 5
    lines.advance()
    bar = BarProgress()
    bar.start("a.mp4", 2)
    assert bar._bar is not None
    monkeypatch.setattr(bar._bar, "stop", lambda: Gone().write(""))
    bar.finish()
