from __future__ import annotations

from pathlib import Path

from ptfan.engine.bench.contender import contenders


def test_every_model_on_every_backend_but_a_checkpoint_once(tmp_path: Path) -> None:
    checkpoint = tmp_path / "s.safetensors"
    checkpoint.touch()
    found = contenders([str(checkpoint), "s"], ["onnxruntime", "openvino"], gpu=1, threads=2)
    assert [(entry.name, entry.model, entry.backend, entry.gpu, entry.threads) for entry in found] == [
        (str(checkpoint), str(checkpoint), "auto", 1, 2),
        ("s on onnxruntime", "s", "onnxruntime", 1, 2),
        ("s on openvino", "s", "openvino", 1, 2),
    ]


def test_names_are_the_models_where_one_backend_runs_them() -> None:
    (found,) = contenders(["s"], ["openvino"], gpu=0, threads=0)
    assert (found.name, found.backend) == ("s", "openvino")
