"""`ptfan train-flow`, `export` and `eval-flow`: from a clip to a model and its figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ptfan.engine.cli import main
from ptfan.engine.prepare.flow_completion import LearnedFlow
from ptfan.engine.runners.choice import open_runner
from ptfan.training.checkpoint import load_helper

pytestmark = pytest.mark.usefixtures("one_thread")
CONFIG = {
    "network": {"widths": [8, 8, 16]},
    "steps": 3,
    "batch": 1,
    "sample": {"frames": 3, "size": [48, 32], "double_speed": 0},
    "schedule": {"warmup": 1},
}


def ptfan(*arguments: str) -> int:
    return int(main(list(arguments)) or 0)


@pytest.fixture
def place(training_place: Callable[..., Path]) -> Path:
    return training_place(48, 64, CONFIG)


def test_from_a_clip_to_a_model(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ("train-flow", "--data", "videos", "--config", "tiny.json", "--workers", "0", "--log-every", "1")
    assert ptfan(*train, "-o", "whole") == 0
    assert ptfan(*train, "-o", "parts", "--steps", "2") == 0
    capsys.readouterr()
    assert ptfan("train-flow", "--resume", "parts", "--steps", "3") == 0
    assert capsys.readouterr().err.splitlines()[-1] == "parts/checkpoint.safetensors: 3 of 3 steps are done"
    entries = [json.loads(line) for line in (place / "whole" / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [1, 2, 3]
    assert {"error", "smooth_error", "likelihood", "ratio"} <= set(entries[0])
    helper = load_helper(place / "whole" / "checkpoint.safetensors")
    assert helper.config.widths == (8, 8, 16)
    assert ptfan("export", "whole/checkpoint.safetensors", "-o", "flow.onnx") == 0
    with open_runner(place / "flow.onnx", threads=1) as runner:
        assert LearnedFlow(runner).runner.spec.form == "flow"
    capsys.readouterr()
    report = ("eval-flow", "--data", "videos", "--model", "flow.onnx", "--kinds", "box,text", "--frames", "4")
    assert ptfan(*report, "-o", "report") == 0
    table = (place / "report" / "flow.md").read_text()
    assert table in capsys.readouterr().out
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:4]] == ["box", "text"]
    assert len(json.loads((place / "report" / "flow.json").read_text())["scores"]) == 2


def test_holes_that_no_frame_has_leave_dashes_and_nulls(place: Path) -> None:
    report = ("eval-flow", "--data", "videos", "--kinds", "caption,box", "--frames", "4", "--threads", "1")
    assert ptfan(*report, "-o", "report") == 0  # the first caption begins later
    caption, box = (place / "report" / "flow.md").read_text().splitlines()[2:4]
    assert caption == "| caption | 1 | – | – | – | – | – |"
    assert "–" not in box

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    scores = json.loads((place / "report" / "flow.json").read_text(), parse_constant=refuse)["scores"]
    assert scores[0]["error"] == {"smooth": None, "learned": None}
    assert scores[0]["fill"] == {"smooth": None, "learned": None, "true": None}


def test_a_model_that_completes_no_flow_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ptfan.engine.models import find_model

    refused = ("eval-flow", "--data", "videos", "--model", str(find_model("s")), "--kinds", "box", "-o", "report")
    assert ptfan(*refused) == 2
    assert "expected flow" in capsys.readouterr().err
    assert not (place / "report").exists()


def test_clips_of_one_frame_are_told_before_anything_is_computed(
    place: Path, write_video: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "single"):
        write_video(place / f"videos/{name}.mp4", [np.zeros((48, 64, 3), np.uint8)])
    assert ptfan("eval-flow", "--data", "videos", "--kinds", "box", "-o", "report") == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told == (
        "ptfan: error: clips of 1 frame (one, single): expected 2 or more: there is no flow in one frame; "
        "take them out of videos"
    )
    assert not (place / "report").exists()
