"""`ptfan quantize` from the command line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ptfan.engine.demo import DEMO_CLIP
from ptfan.engine.models import FLOW_MODEL
from ptfan.engine.runners.onnx_file import read_spec

pytest.importorskip("onnx")


@pytest.fixture
def data(folder: Path) -> Path:
    """Return a folder with a clip."""
    (folder / "clips").mkdir()
    shutil.copy(DEMO_CLIP, folder / "clips")
    return folder / "clips"


def test_a_file_for_cpus_is_compared_and_written(ptfan: Callable, data: Path, folder: Path) -> None:
    done = ptfan("quantize", "s-live", "--data", data, "-o", "mine.onnx", "--frames", "12", "--every", "3", "--quiet")
    assert (done.status, done.err) == (0, "")
    assert "mine.onnx (s-live, step form, int8, onnxruntime (CPU, int8, " in done.out
    assert ") against s-live.onnx (s-live, step" in done.out
    assert done.out.splitlines()[-1].startswith("wrote mine.onnx: ")
    assert read_spec(folder / "mine.onnx").convolutions == "int8"
    again = ptfan("quantize", "mine.onnx", "--data", data, "-o", "twice.onnx")
    assert (again.status, again.err.count("\n")) == (2, 1)
    assert "is int8; expected fp32" in again.err
    wrong = ptfan("build", "mine.onnx", "-o", "mine.plan")
    assert wrong.status == 2
    assert "model mine.onnx: is int8, for CPUs; expected fp16 or fp32, such as s-fp16" in wrong.err


def test_a_network_that_completes_flow(ptfan: Callable, data: Path, folder: Path) -> None:
    done = ptfan("quantize", FLOW_MODEL, "--data", data, "-o", "flow.onnx", "--frames", "12", "--quiet")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("completed flow in the demo's hole: 0.")
    assert read_spec(folder / "flow.onnx").numbers == "int8"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("s-fp16", "model s-fp16: is fp16; expected fp32"),
        ("nothing", "model nothing is neither a file nor a model of this package"),
    ],
)
def test_what_cannot_be_quantized(model: str, said: str, ptfan: Callable, data: Path, folder: Path) -> None:
    done = ptfan("quantize", model, "--data", data, "-o", "mine.onnx")
    assert done.status == 2
    assert said in done.err
    assert not (folder / "mine.onnx").exists()


def test_an_output_that_exists_is_kept(ptfan: Callable, data: Path, folder: Path) -> None:
    (folder / "mine.onnx").write_bytes(b"precious")
    done = ptfan("quantize", "s-live", "--data", data, "-o", "mine.onnx")
    assert done.status == 2
    assert "exists already; give --overwrite" in done.err
    own = ptfan("quantize", "mine.onnx", "--data", data, "-o", "mine.onnx", "--overwrite")
    assert (own.status, own.err.count("is the model itself; give the output another name")) == (2, 1)
    assert (folder / "mine.onnx").read_bytes() == b"precious"
