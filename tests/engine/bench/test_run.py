from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ptfan.engine.bench import run
from ptfan.engine.bench.contender import Contender
from ptfan.engine.bench.footage import Footage
from ptfan.engine.bench.run import BenchSettings, run_bench
from ptfan.engine.bench.work import Pace
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.errors import InputError, InputNotFoundError

Models = dict[str, Any]


@pytest.fixture
def models(runner: Callable, step_runner: Callable, monkeypatch: pytest.MonkeyPatch) -> Models:
    """Return the networks that are found by their names, on a machine whose pace nobody measures."""
    found = {"steps.onnx": step_runner(), "windows.onnx": runner()}
    monkeypatch.setattr("ptfan.engine.bench.contender.find_model", Path)
    monkeypatch.setattr(Contender, "open", lambda self: found[self.model])
    monkeypatch.setattr(run, "measure_pace", lambda: Pace(flop_per_second=1e11, bytes_per_second=1e10))
    return found


def test_step_models_have_streams_and_clip_models_windows(models: Models, tmp_path: Path) -> None:
    settings = BenchSettings(
        models=tuple(models),
        sizes=((32, 24), (16, 8)),
        streams=(1, 2),
        windows=(None, 4),
        rounds=2,
        lengths=(3,),
        runs=0,
    )
    tables = run_bench(settings, tmp_path / "new", quiet=True)
    assert (tmp_path / "new" / "bench.md").read_text(encoding="utf-8") == tables
    found = json.loads((tmp_path / "new" / "bench.json").read_text(encoding="utf-8"))
    assert [item["label"] for item in found["networks"]] == [
        f"{model}, {size}{kind}"
        for size in ("32x24", "16x8")
        for model, kinds in (("steps.onnx", ("", ", 2 streams")), ("windows.onnx", ("", ", windows of 4")))
        for kind in kinds
    ]
    assert [(item["label"], item["length"]) for item in found["clips"]] == [
        ("steps.onnx, 32x24", 3), ("windows.onnx, 32x24", 3),
    ]  # fmt: skip
    assert found["videos"] == []
    assert (found["settings"]["clip"], found["settings"]["rounds"]) == ("the demo's", 2)
    assert all(network.closed for network in models.values())


def test_networks_are_closed_when_one_of_them_does_not_fit(models: Models) -> None:
    with pytest.raises(InputError, match="size is 30x24"):
        run_bench(BenchSettings(models=tuple(models), sizes=((30, 24),)), quiet=True)
    assert all(network.closed for network in models.values())


def test_whole_videos_are_the_demos_unless_others_are_named(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def measure(entries: Any, footage: Footage, **options: Any) -> list[Any]:
        asked.append(([entry.name for entry in entries], footage, options["rounds"]))
        return []

    monkeypatch.setattr(run, "measure_videos", measure)
    monkeypatch.setattr(Footage, "check", lambda self: None)
    settings: Any = {"models": tuple(models), "sizes": ((32, 24),), "rounds": 1, "runs": 2}
    run_bench(BenchSettings(**settings), quiet=True)
    mine: Any = {"clip": Path("a.mp4"), "mask": Path("b.png")}
    run_bench(BenchSettings(**settings, **mine, video_sizes=(None, (64, 48))), quiet=True)
    assert asked == [
        (list(models), Footage(clip=DEMO_CLIP, mask=DEMO_MASK, repeat=5), 2),
        (list(models), Footage(**mine), 2),
        (list(models), Footage(**mine, size=(64, 48)), 2),
    ]


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(InputNotFoundError, match="none-such"):
        run_bench(BenchSettings(models=("none-such",)), quiet=True)
