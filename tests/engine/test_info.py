"""What is here and what would be used; nothing that is missing is an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ptfan.engine import info as module
from ptfan.engine.info import collect_info, format_info
from ptfan.engine.models import find_model
from ptfan.engine.runners import choice
from ptfan.engine.runners.backends import BackendStatus

UNUSABLE = BackendStatus("onnxruntime", False, "not installed: pip install 'ptfan[cpu]'")
USABLE = BackendStatus("onnxruntime", True, "ONNX Runtime on the CPU")


@pytest.fixture(autouse=True)
def empty_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU, no shipped model, one backend."""
    monkeypatch.setattr(module, "shipped_models", dict)
    monkeypatch.setattr(module, "backend_statuses", lambda: [USABLE])
    monkeypatch.setenv("PATH", "")


def test_a_model_that_is_missing_is_told(tmp_path: Path) -> None:
    info = collect_info(tmp_path / "none.onnx")
    assert info["choice"]["model"] is None
    assert "none.onnx" in format_info(info)
    assert info["gpus"] == []
    assert json.loads(json.dumps(info)) == info


def test_a_backend_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "backend_statuses", lambda: [UNUSABLE])
    info = collect_info(find_model("s-live"))
    assert info["choice"]["backend"] is None
    assert "pip install 'ptfan[cpu]'" in format_info(info)


def test_the_choice_and_its_reason_are_told() -> None:
    info = collect_info(find_model("s-live"))
    assert info["choice"]["backend"] == "onnxruntime"
    assert "would use    model s-live on onnxruntime" in format_info(info)


def test_a_name_s_int8_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(choice, "multiplies_bytes", lambda: True)
    assert "would use    model s-live-int8 on onnxruntime" in format_info(collect_info("s-live"))


def test_a_file_that_is_no_model_is_not_chosen(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"x")
    choice = collect_info(tmp_path / "m.onnx")["choice"]
    assert (choice["model"], choice["backend"]) == (None, None)
    assert "m.onnx: cannot be read; expected an ONNX file" in choice["text"]


def test_a_shipped_model_that_is_broken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "s.onnx").write_bytes(b"no model")
    monkeypatch.setattr(module, "shipped_models", lambda: {"s": tmp_path / "s.onnx"})
    text = format_info(collect_info(tmp_path / "s.onnx"))
    assert "cannot be read" in text
    assert text.count("\n") == len(text.splitlines()) - 1


@pytest.mark.parametrize(
    ("script", "gpus"),
    [
        ("echo 'NVIDIA H100, 81559 MiB, 550.54, 9.0'", ["NVIDIA H100"]),
        ("echo 'a, 1 MiB, 5, 7.5'; echo 'b, 2 MiB, 5, 8.9'", ["a", "b"]),
        ("exit 9", []),
    ],
)
def test_gpus_are_those_of_nvidia_smi(
    script: str, gpus: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    info = collect_info(tmp_path / "none.onnx")
    assert [gpu["name"] for gpu in info["gpus"]] == gpus
    assert ("GPU          none found" in format_info(info)) == (not gpus)
