from __future__ import annotations

import sys

import pytest

from ptfan.training.runs.headline import Headline
from ptfan.training.runs.progress import TrainingProgress, progress_line
from tests.gone import Gone

HEADLINE = Headline("hole_psnr", "PSNR in the hole, dB", "{:.2f} dB in the hole")
ENTRY = {"step": 50, "seconds": 900.0, "loss": 0.07, "hole_psnr": 21.5}


def test_the_line_tells_pace_and_time_left() -> None:
    line = progress_line(ENTRY, HEADLINE, steps=2000, done=25, seconds=50.0)
    assert line == "step 50/2000: loss 0.0700, 21.50 dB in the hole, 2.00 s a step, 1:05:00 left"


def test_without_a_terminal_a_line_is_written_for_each_entry(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrainingProgress(2000, 25, HEADLINE, terminal=False)
    progress.advance(26, 2.0, {"hole_psnr": 20.0})
    assert capsys.readouterr().err == ""
    progress.entry(ENTRY, 50.0)
    progress.close()
    captured = capsys.readouterr()
    assert captured.err == "step 50/2000: loss 0.0700, 21.50 dB in the hole, 2.00 s a step, 1:05:00 left\n"
    assert captured.out == ""


def test_on_a_terminal_a_bar_is_drawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    progress = TrainingProgress(200, 100, HEADLINE, terminal=True)
    progress.advance(150, 50.0, {"hole_psnr": 20.0})
    progress.entry(ENTRY, 50.0)
    progress.close()
    told = capsys.readouterr().err
    assert "150/200" in told
    assert "20.00 dB in the hole, 1.00 s a step, 0:00:50 left" in told
    assert "loss" not in told


def test_a_terminal_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = TrainingProgress(200, 100, HEADLINE, terminal=True)
    assert bar._bar is not None
    monkeypatch.setattr(bar._bar, "stop", lambda: Gone().write(""))
    bar.close()
    monkeypatch.setattr(sys, "stderr", Gone())
    TrainingProgress(200, 100, HEADLINE, terminal=False).entry(ENTRY, 50.0)
