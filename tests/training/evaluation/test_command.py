from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
import torch
from typer.testing import CliRunner

from ptfan.engine.cli import build_app, main
from ptfan.engine.errors import InputError
from ptfan.training.checkpoint import save_checkpoint
from ptfan.training.evaluation.command import EvaluationSettings
from ptfan.training.evaluation.metrics.i3d import I3D
from ptfan.training.model import Generator, preset


def call(*arguments: object) -> str:
    result = CliRunner().invoke(build_app(), [str(argument) for argument in ("eval", *arguments)])
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_the_command_writes_all_reports(tmp_path: Path, clips: Path) -> None:
    output = call(
        "--data", clips, "--baseline", "telea", "--baseline", "propagation", "--kinds", "box,free-form",
        "--frames", "3", "-o", tmp_path,
    )  # fmt: skip
    content = json.loads((tmp_path / "scores.json").read_text())
    assert [(mean["kind"], mean["method"]) for mean in content["means"]] == [
        (kind, method) for kind in ("box", "free-form") for method in ("telea", "propagation")
    ]
    assert (content["protocol"], content["frames"], len(content["scores"])) == ("folder", 3, 8)
    table = (tmp_path / "scores.md").read_text()
    assert "| telea |" in table
    assert "- Left out for want of weights: lpips (--lpips), st-lpips (--st-lpips), vfid (--i3d)." in table
    assert table.strip() in output
    assert (tmp_path / "clips.md").read_text().count("| clip0 |") == 4
    for name, width in (("sheet-box.jpg", 4 * 132), ("sheet-free-form.jpg", 4 * 132), ("tradeoff.png", None)):
        image = cv2.imread(str(tmp_path / name))
        assert image is not None
        assert width in (None, image.shape[1])


def test_models_in_onnx_and_torch_go_through_one_runtime(tmp_path: Path, clips: Path) -> None:
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "mine.safetensors", Generator(preset("s")), {})
    arguments = ("--data", clips, "--kinds", "box", "--frames", 3, "--threads", 1, "-o", tmp_path / "report")
    call(*arguments, "--model", "s", "--model", tmp_path / "mine.safetensors")
    first = json.loads((tmp_path / "report/scores.json").read_text())
    assert [mean["method"] for mean in first["means"]] == ["s", "mine"]
    before = (tmp_path / "report/scores.jsonl").read_text()
    call(*arguments, "--model", "s")
    assert (tmp_path / "report/scores.jsonl").read_text() == before
    assert json.loads((tmp_path / "report/scores.json").read_text())["means"] == first["means"][:1]


def test_vfid_compares_all_clips_of_a_kind(tmp_path: Path, clips: Path) -> None:
    torch.manual_seed(0)
    torch.save(I3D().state_dict(), tmp_path / "i3d.pt")
    arguments = ("--data", clips, "--kinds", "box", "--frames", 3, "--metrics", "vfid", "--baseline", "telea")
    call(*arguments, "--i3d", tmp_path / "i3d.pt", "-o", tmp_path / "report")
    (mean,) = json.loads((tmp_path / "report/scores.json").read_text())["means"]
    assert set(mean["values"]) == {"vfid", "seconds"}
    assert mean["values"]["vfid"] > 0
    assert "VFID compares 2 clips: too few" in (tmp_path / "report/scores.md").read_text()


def test_the_command_refuses_what_it_does_not_know(
    tmp_path: Path, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["eval", "--data", str(clips), "-o", str(tmp_path / "report")]
    for options, told in (
        (["--baseline", "magic"], "expected one of telea, propagation"),
        ([], "--model or --baseline"),
        (["--baseline", "telea", "--metrics", "lpips"], "--lpips"),
        (["--baseline", "telea", "--protocol", "moon"], "expected one of folder, davis-stationary"),
    ):
        assert main([*common, *options]) == 2
        assert told in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
    with pytest.raises(InputError, match="frames is 1, expected 2 or more"):
        EvaluationSettings(data=clips, baselines=("telea",), frames=1)
