"""`ptfan export`, from the command line to the file, and every way in which it refuses."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from ptfan.engine import cli
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import Inpainter
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.runners.ort.ort_runner import OrtRunner
from ptfan.export import exporter

PLUGIN = EntryPoint("export", "ptfan.export.cli:register", cli.PLUGIN_GROUP)


@pytest.fixture
def ptfan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return a function that runs a command line in an empty folder and gives status, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "entry_points", lambda group: [PLUGIN])

    def run(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        status = cli.main([str(argument) for argument in arguments])
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def refused(ptfan: Callable[..., Any], tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a command line which must fail in one line, and leave nothing."""

    def run(*arguments: object) -> str:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        status, out, err = ptfan("export", *arguments)
        assert (status, out) == (2, "")
        assert err.startswith("ptfan: error: ")
        assert err.count("\n") == 1
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        return err.removeprefix("ptfan: error: ").strip()

    return run


TRACED = ("--size", "64x48", "--window", 9)
"""The options of the graph that is already there."""


@pytest.fixture
def traced(tiny_graph: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch) -> onnx.ModelProto:
    """Return the graph that the command finds already traced."""
    model = onnx.ModelProto()
    model.CopyFrom(tiny_graph)
    monkeypatch.setattr(exporter, "clip_graph", lambda *_: model)
    return model


def picture(index: int) -> np.ndarray:
    """A smooth pattern that moves two pixels a frame."""
    y, x = np.mgrid[:64, :96]
    waves = [127 + 90 * np.sin((x + 2 * index) / 6 + channel) * np.cos(y / 7) for channel in range(3)]
    return np.stack(waves, axis=-1).astype(np.uint8)


def hole() -> np.ndarray:
    mask = np.zeros((64, 96), bool)
    mask[20:36, 30:50] = True
    return mask


def test_a_checkpoint_becomes_a_model_that_the_runtime_takes(
    ptfan: Callable[..., Any], checkpoint: Path, tmp_path: Path
) -> None:
    status, out, err = ptfan(
        "export", checkpoint, "-o", "mine.onnx", "--name", "mine", "--size", "128x96", "--window", 5, "--stride", 3
    )
    assert (status, err) == (0, "")
    first, second = out.splitlines()
    assert first.startswith("torch against ONNX Runtime on 5 frames of 128x96: worst error ")
    assert second.startswith("wrote mine.onnx: model mine, fp32, 0.0")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.onnx"]
    with OrtRunner(tmp_path / "mine.onnx") as runner:
        spec = runner.spec
    assert (spec.window, spec.stride, spec.fixed_window, spec.fixed_size) == (5, 3, 5, (128, 96))
    assert spec.weights_sha256 == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    frames = [Frame(picture(index), hole()) for index in range(7)]
    with Inpainter(tmp_path / "mine.onnx") as inpainter:
        done = [frame for given in frames for frame in inpainter.push(given)] + inpainter.flush()
    assert len(done) == 7
    for given, frame in zip(frames, done, strict=True):
        np.testing.assert_array_equal(frame.composite()[~given.hole], given.image[~given.hole])
        assert not np.array_equal(frame.composite()[given.hole], given.image[given.hole])


def test_weights_as_fp16(ptfan: Callable[..., Any], checkpoint: Path, traced: onnx.ModelProto, tmp_path: Path) -> None:
    usual = traced.ByteSize()
    status, out, _ = ptfan("export", checkpoint, "-o", "small.onnx", "--weights", "fp16", *TRACED)
    assert status == 0
    assert "model tiny, fp32 with weights stored as fp16, " in out
    assert (tmp_path / "small.onnx").stat().st_size < usual
    assert read_spec(tmp_path / "small.onnx").precision == "fp32"


def spoil(model: onnx.ModelProto) -> None:
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name.endswith("head.weight"))
    array = onnx.numpy_helper.to_array(tensor)
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.float32(1.5) * array, tensor.name))


def test_over_the_tolerance_there_is_no_file(
    refused: Callable[..., str], checkpoint: Path, traced: onnx.ModelProto
) -> None:
    spoil(traced)
    error = refused(checkpoint, "-o", "bad.onnx", *TRACED)
    assert error.startswith("ONNX Runtime differs from torch: worst error ")
    assert error.endswith("; expected at most 1.1e-04")  # the largest value is 1.1


def test_over_the_tolerance_an_older_file_stays(
    refused: Callable[..., str], checkpoint: Path, traced: onnx.ModelProto, tmp_path: Path
) -> None:
    spoil(traced)
    (tmp_path / "old.onnx").write_bytes(b"old")
    refused(checkpoint, "-o", "old.onnx", "--overwrite", *TRACED)
    assert (tmp_path / "old.onnx").read_bytes() == b"old"


def test_an_output_that_exists_is_replaced_only_when_asked(
    ptfan: Callable[..., Any], refused: Callable[..., str], checkpoint: Path, traced: onnx.ModelProto, tmp_path: Path
) -> None:
    (tmp_path / "old.onnx").write_bytes(b"old")
    assert "exists already" in refused(checkpoint, "-o", "old.onnx")
    assert "is the checkpoint itself" in refused(checkpoint, "-o", checkpoint, "--overwrite")
    assert ptfan("export", checkpoint, "-o", "old.onnx", "--overwrite", *TRACED)[0] == 0
    assert read_spec(tmp_path / "old.onnx").name == "tiny"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "none/x.onnx"], "its folder none does not exist"),
        (["-o", "."], "is a folder"),
        (["-o", "x.onnx", "--form", "clp", "--window", "5"], "form is 'clp', expected one of clip, step"),
        (
            ["-o", "x.onnx", "--form", "step", "--window", "5"],
            "--window does not fit the step form, which has --streams",
        ),
        (["-o", "x.onnx", "--streams", "2"], "--streams does not fit the clip form, which has --window"),
        (["-o", "x.onnx", "--precision", "int8"], "precision is 'int8', expected one of fp32, fp16"),
        (["-o", "x.onnx", "--weights", "int8"], "weights is 'int8', expected one of same, fp16"),
        (["-o", "x.onnx", "--size", "430x240"], "size is 430x240, expected multiples of 8"),
        (["-o", "x.onnx", "--size", "large"], "'large': expected WxH"),
        (["-o", "x.onnx", "--size", "native"], "size is native, expected WxH"),
        (["-o", "x.onnx", "--window", "0"], "0 frames or streams at a time, expected 1 or more"),
        (["-o", "x.onnx", "--stride", "0"], "stride is 0, expected 1"),
        (["-o", "x.onnx", "--window", "4", "--stride", "5"], "stride is 5, expected 1 to window (4)"),
        (["-o", "x.onnx", "--clip", "none.mp4"], "none.mp4"),
        (["-o", "x.onnx", "--mask", "none.png"], "none.png"),
        ([], "output"),
    ],
)
def test_options_that_cannot_be_used(
    arguments: list[str], message: str, refused: Callable[..., str], checkpoint: Path
) -> None:
    assert message in refused(checkpoint, *arguments)


def test_a_checkpoint_that_is_none(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "none.safetensors: no such file" in refused("none.safetensors", "-o", "x.onnx")
    (tmp_path / "text.safetensors").write_text("no checkpoint")
    assert "text.safetensors: cannot be read" in refused("text.safetensors", "-o", "x.onnx")


@pytest.mark.parametrize("library", ["torch", "onnx"])
def test_a_missing_library_names_the_extra(
    library: str, refused: Callable[..., str], checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith("ptfan.export.") and name != "ptfan.export.cli":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    error = refused(checkpoint, "-o", "x.onnx")
    assert error == f"ptfan export needs {library}, which is not installed: pip install 'ptfan[export]'"


def test_help_needs_neither_torch_nor_onnx() -> None:
    program = (
        "import sys, typer; from ptfan.export.cli import register; app = typer.Typer(); register(app)\n"
        "typer.main.get_command(app)\n"
        "print(sorted({'torch', 'onnx', 'onnxruntime', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
