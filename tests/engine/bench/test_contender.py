from __future__ import annotations

from pathlib import Path

import pytest

from ptfan.engine.bench.contender import contenders
from ptfan.engine.errors import InputError


def test_every_model_on_every_backend_but_a_checkpoint_once(tmp_path: Path) -> None:
    checkpoint = tmp_path / "s.safetensors"
    checkpoint.touch()
    found = contenders([str(checkpoint), "s"], ["onnxruntime", "openvino"], gpu=1, threads=2)
    assert [(entry.name, entry.model, entry.backend, entry.gpu, entry.threads) for entry in found] == [
        ("s.safetensors", str(checkpoint), "auto", 1, 2),
        ("s on onnxruntime", "s", "onnxruntime", 1, 2),
        ("s on openvino", "s", "openvino", 1, 2),
    ]


def test_names_are_the_models_where_one_backend_runs_them() -> None:
    (found,) = contenders(["s"], ["openvino"], gpu=0, threads=0)
    assert (found.name, found.backend) == ("s", "openvino")


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("1/mine.onnx", "2/mine.onnx", "2/other.onnx")]
    for file in map(Path, files):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    found = contenders(files, ["auto"], gpu=0, threads=0)
    assert [entry.name for entry in found] == [*files[:2], "other.onnx"]
    assert [entry.model for entry in found] == files


def test_a_model_is_named_once() -> None:
    with pytest.raises(InputError, match="model s is named twice, expected each of them once"):
        contenders(["s", "s-live", "s"], ["auto"], gpu=0, threads=0)
