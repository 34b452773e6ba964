"""`ptfan train-text`, `export` and `eval-text`: from a clip to a model and its figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from matplotlib import get_data_path

from ptfan.engine.cli import main
from ptfan.engine.masks.text_finder import TextFinder
from ptfan.engine.models import FLOW_MODEL
from ptfan.engine.runners.choice import open_runner
from ptfan.training.checkpoint import load_helper, save_helper
from ptfan.training.model.flow_completer import FlowCompleter

pytestmark = pytest.mark.usefixtures("one_thread")
FONTS = str(Path(get_data_path()) / "fonts" / "ttf")
CONFIG = {
    "network": {"widths": [4, 8, 8], "blocks": [0, 1, 1]},
    "steps": 3,
    "batch": 2,
    "sample": {"frames": 2, "size": [64, 32]},
    "size": [9, 20],
    "schedule": {"warmup": 1},
}


def ptfan(*arguments: str) -> int:
    return int(main(list(arguments)) or 0)


@pytest.fixture
def place(training_place: Callable[..., Path]) -> Path:
    return training_place(96, 128, CONFIG)


def test_from_a_clip_to_a_model(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ("train-text", "--data", "videos", "--config", "tiny.json", "--workers", "0", "--log-every", "1")
    assert ptfan(*train, "--fonts", FONTS, "-o", "whole") == 0
    assert ptfan(*train, "--fonts", FONTS, "-o", "parts", "--steps", "2") == 0
    assert json.loads((place / "whole" / "config.json").read_text())["fonts"] == FONTS
    capsys.readouterr()
    assert ptfan("train-text", "--resume", "parts", "--steps", "3") == 0
    assert capsys.readouterr().err.splitlines()[-1] == "parts/checkpoint.safetensors: 3 of 3 steps are done"
    entries = [json.loads(line) for line in (place / "whole" / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [1, 2, 3]
    assert {"loss", "entropy", "apart", "recall", "precision"} <= set(entries[0])
    assert load_helper(place / "whole" / "checkpoint.safetensors").config.widths == (4, 8, 8)
    assert ptfan("export", "whole/checkpoint.safetensors", "-o", "text.onnx") == 0
    TextFinder(open_runner(place / "text.onnx", threads=1)).close()
    capsys.readouterr()
    report = ("eval-text", "--data", "videos", "--model", "text.onnx", "--fonts", FONTS, "--captions", "2")
    assert ptfan(*report, "-o", "report") == 0
    table = (place / "report" / "text.md").read_text()
    assert table in capsys.readouterr().out
    assert table.splitlines()[2].startswith("| 2 | 1 | ")
    scores = json.loads((place / "report" / "text.json").read_text())["scores"]
    assert [score["clip"] for score in scores] == ["waves", "waves"]
    sheet = cv2.imread(str(place / "report" / "text.png"))
    assert sheet is not None
    assert sheet.shape[1] == 128


def test_a_checkpoint_of_another_network_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_helper(place / "flow.safetensors", FlowCompleter(), {})
    assert ptfan("train-text", "--data", "videos", "-o", "run", "--from", "flow.safetensors") == 2
    assert "is a flow completion network, expected a text network" in capsys.readouterr().err
    assert not (place / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--fonts", FONTS, "--model", str(FLOW_MODEL)), "of the flow form, expected text"),
        (("--fonts", "videos"), "has letters"),
    ],
)
def test_what_cannot_be_measured_with_is_refused(
    place: Path, arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ptfan("eval-text", "--data", "videos", *arguments, "-o", "report") == 2
    assert text in capsys.readouterr().err
    assert not (place / "report").exists()
