"""`ptfan train-colour`, `export` and `inpaint`: from a clip to a network that a model is used with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ptfan.engine.cli import main
from ptfan.engine.prepare.colour_completion import LearnedColours
from ptfan.engine.runners.choice import open_runner
from ptfan.training.checkpoint import load_helper

pytestmark = pytest.mark.usefixtures("one_thread")
CONFIG = {
    "network": {"widths": [4, 8, 8], "blocks": [0, 1, 1]},
    "steps": 3,
    "batch": 1,
    "sample": {"frames": 3, "size": [64, 64], "colour_completion": "smooth"},
    "schedule": {"warmup": 1},
}


def ptfan(*arguments: str) -> int:
    return int(main(list(arguments)) or 0)


@pytest.fixture
def place(training_place: Callable[..., Path]) -> Path:
    return training_place(80, 96, CONFIG)


def test_from_a_clip_to_a_network(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ("train-colour", "--data", "videos", "--config", "tiny.json", "--workers", "0", "--log-every", "1")
    assert ptfan(*train, "-o", "whole") == 0
    assert ptfan(*train, "-o", "parts", "--steps", "2") == 0
    assert ptfan("train-colour", "--resume", "parts", "--steps", "3") == 0
    entries = [json.loads(line) for line in (place / "whole" / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [1, 2, 3]
    for entry in entries:
        assert entry["loss"] == pytest.approx(2 * np.log(entry["error"]), rel=1e-3)
        assert entry["gain"] == pytest.approx(20 * np.log10(entry["smooth_error"] / entry["error"]), abs=2e-3)
    assert (place / "whole" / "curves.png").exists()
    assert load_helper(place / "whole" / "checkpoint.safetensors").config.to_json() == json.dumps(
        {"blocks": [0, 1, 1], "widths": [4, 8, 8]}
    )
    assert ptfan("export", "whole/checkpoint.safetensors", "-o", "colour.onnx") == 0
    with open_runner(place / "colour.onnx", threads=1) as runner:
        assert LearnedColours(runner).runner.spec.size_multiple == 4
    assert ptfan(*train, "-o", "further", "--from", "whole/checkpoint.safetensors") == 0
    capsys.readouterr()


def test_a_checkpoint_of_another_network_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = place / "flow.safetensors"
    from ptfan.training.checkpoint import save_helper
    from ptfan.training.model.flow_completer import FlowCompleter

    save_helper(checkpoint, FlowCompleter(), {})
    assert ptfan("train-colour", "--data", "videos", "-o", "run", "--from", str(checkpoint)) == 2
    assert "is a flow completion network, expected a colour completion network" in capsys.readouterr().err
    assert not (place / "run").exists()
