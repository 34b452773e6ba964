from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ptfan.training.generator.config import TrainConfig
from ptfan.training.runs.folder import RunFolder
from ptfan.training.runs.headline import Headline
from ptfan.training.runs.recorder import Recorder

HEADLINE = Headline("hole_psnr", "PSNR in the hole, dB", "{:.2f} dB in the hole")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create(TrainConfig(steps=4), {})
    return folder


def entry(step: int) -> dict[str, float]:
    losses = {"loss": 1.0 / step, "hole": 0.5 / step}
    return {"step": step, "seconds": float(step), "rate": 1e-3, **losses, "hole_psnr": 20.0 + step}


def test_an_entry_stands_in_the_log_in_tensorboard_and_in_a_line(
    folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder(folder, 4, 0, HEADLINE)
    recorder.advance(1, entry(1))
    recorder.picture(None, 1)
    for step in (1, 2):
        recorder.entry(entry(step))
    recorder.picture(torch.rand(3, 8, 8), 2)
    recorder.close()
    assert [json.loads(line) for line in folder.log.read_text(encoding="utf-8").splitlines()] == [entry(1), entry(2)]
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("step 1/4: loss 1.0000, 21.00 dB in the hole, ")
    assert len(told) == 2
    (events,) = folder.board.iterdir()
    content = events.read_bytes()
    assert content.count(b"train/hole_psnr") == 2
    assert content.count(b"PNG") == 1
    assert folder.curves.stat().st_size > 5000


def test_what_was_told_after_the_step_to_go_on_from_is_dropped(folder: RunFolder) -> None:
    first = Recorder(folder, 4, 0, HEADLINE)
    for step in (1, 2, 3):
        first.entry(entry(step))
    first.close()
    again = Recorder(folder, 4, 2, HEADLINE)
    again.entry(entry(3) | {"loss": 9.0})
    again.close()
    entries = [json.loads(line) for line in folder.log.read_text(encoding="utf-8").splitlines()]
    assert [(found["step"], found["loss"]) for found in entries] == [(1, 1.0), (2, 0.5), (3, 9.0)]
