from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ptfan.engine.cli import build_app, main
from ptfan.engine.errors import InterruptedRunError
from ptfan.training.ablation.study import AblationSettings, run_ablation
from ptfan.training.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "tiny.json"
    path.write_text(json.dumps({"steps": 9, "batch": 1, "sample": {"frames": 3, "size": [32, 32]}}))
    return path


def test_variants_are_trained_once_and_stand_in_one_table(frames_dataset: Path, config: Path, tmp_path: Path) -> None:
    common = ["ablate", "--data", str(frames_dataset), "--eval", str(frames_dataset), "-o", str(tmp_path / "out")]
    common += ["--config", str(config), "--steps", "2", "--size", "64x48", "--kinds", "box", "--frames", "4"]
    common += ["--workers", "0"]

    def call(*only: str) -> str:
        result = CliRunner().invoke(build_app(), [*common, *(part for name in only for part in ("--only", name))])
        assert result.exit_code == 0, result.output
        assert result.stdout == (tmp_path / "out/ablation.md").read_text() + "\n"  # the table, and nothing else
        return str(result.stderr)

    assert "training reference: 2 steps" in call("no-gate")
    runs = {path.name: path / "checkpoint.safetensors" for path in (tmp_path / "out/runs").iterdir()}
    assert set(runs) == {"reference", "no-gate"}
    assert not load_checkpoint(runs["no-gate"]).config.gated
    assert load_checkpoint(runs["reference"]).record["step"] == 2
    trained = {name: path.read_bytes() for name, path in runs.items()}
    assert "training" not in call("no-gate", "flow-complete")  # that row uses the reference's training
    assert {name: path.read_bytes() for name, path in runs.items()} == trained
    table = (tmp_path / "out/ablation.md").read_text()
    assert [line.split(" | ")[0] for line in table.splitlines()[4:]] == ["| reference", "| gate", "| flow in use"]
    content = json.loads((tmp_path / "out/ablation.json").read_text())
    assert [mean["method"] for mean in content["means"]] == ["reference", "no-gate", "flow-complete"]
    assert content["config"]["steps"] == 2
    assert len((tmp_path / "out/evaluation/scores.jsonl").read_text().splitlines()) == 2 * 3


def test_a_variant_goes_on_as_this_call_says(
    frames_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def resume(subject: object, run: Path, **changes: Any) -> None:
        given.update(changes, run=run)
        raise InterruptedRunError

    monkeypatch.setattr("ptfan.training.ablation.study.resume_run", resume)
    run = tmp_path / "runs/reference"
    run.mkdir(parents=True)
    (run / "config.json").write_text("{}")
    settings = AblationSettings(data=frames_dataset, evaluation=frames_dataset, device="cuda:1", threads=3, workers=0)
    with pytest.raises(InterruptedRunError):
        run_ablation(settings, tmp_path)
    assert given == {"run": run, "device": "cuda:1", "threads": 3, "workers": 0}


def test_another_budget_needs_another_folder(
    frames_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "base.json").write_text("{}")
    common = ["ablate", "--data", str(frames_dataset), "--eval", str(frames_dataset), "-o", str(tmp_path)]
    assert main(common) == 2
    assert "was begun with other data or settings of training; take a new folder" in capsys.readouterr().err
    assert main([*common, "--only", "moon"]) == 2
    assert "no row is called 'moon'" in capsys.readouterr().err
    for size, told in (("large", "size 'large': expected WxH"), ("0x0", "size is 0x0, expected multiples of 8")):
        assert main([*common, "--size", size]) == 2
        assert told in capsys.readouterr().err
