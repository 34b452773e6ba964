"""`ptfan build` with TensorRT for RTX, which builds without a GPU; each in a process of its own, as it may end it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ptfan.engine.demo import DEMO_CLIP
from ptfan.engine.runners.trt.plan_record import read_record

if importlib.util.find_spec("tensorrt_rtx") is None:
    pytest.skip("tensorrt-rtx is not installed: pip install tensorrt-rtx", allow_module_level=True)

Build = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that runs the command, or another one, in a folder."""

    def run(*arguments: str, command: str = "build", **variables: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "ptfan.engine.cli", command, *arguments],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def library_folder(tmp_path: Path) -> str:
    """Return a folder in which the library has the name that the parser asks for."""
    spec = importlib.util.find_spec("tensorrt_rtx_libs")
    assert spec is not None
    assert spec.submodule_search_locations
    (library,) = Path(spec.submodule_search_locations[0]).glob("libtensorrt_rtx.so.*")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libtensorrt_rtx.so").symlink_to(library)
    return str(tmp_path / "lib")


def test_a_shipped_model(build: Build, tmp_path: Path, library_folder: str) -> None:
    plain = build("s-live", "-o", "plain.plan", "--min", "64x48", "--max", "640x360")
    assert (plain.returncode, plain.stdout) == (0, ""), plain.stderr
    assert "plain.plan: s-live, fp32, 1 x 64x48 to 1 x 640x360, plugin none, tensorrt_rtx" in plain.stderr
    record = read_record(tmp_path / "plain.plan")
    assert (record.gpu, record.plugin, record.sizes.most.width) == (None, "none", 640)
    box = ("--box", "8,8,16,16", "-o", "out.mp4", "--model", "plain.plan")
    unused = build(str(DEMO_CLIP), *box, command="inpaint")
    assert (unused.returncode, unused.stdout, unused.stderr.count("\n")) == (2, "", 1), unused.stderr
    assert "GPU 0: " in unused.stderr or "cuda-bindings is not installed" in unused.stderr
    refused = build("s-live", "-o", "plugin.plan", "--plugin", "python")
    assert refused.returncode == 2
    assert "tensorrt_rtx takes plugins only where it finds libtensorrt_rtx.so" in refused.stderr
    assert not (tmp_path / "plugin.plan").exists()
    plugged = build("s-live", "-o", "plugin.plan", "--plugin", "python", "--quiet", LD_LIBRARY_PATH=library_folder)
    assert (plugged.returncode, plugged.stderr) == (0, "")
    assert read_record(tmp_path / "plugin.plan").plugin == "python"


def test_mistakes_end_in_one_line(build: Build, model: Path, tmp_path: Path) -> None:
    (tmp_path / "there.plan").write_bytes(b"")
    (tmp_path / "text.onnx").write_text("no model")
    shutil.copy(model, tmp_path / "model.plan")
    for arguments, said in [
        ((str(model), "-o", "there.plan"), "there.plan: exists already; give --overwrite"),
        (
            ("model.plan", "-o", "model.plan", "--overwrite"),
            "is the model itself; give the plan another name",
        ),
        (
            (str(model), "-o", "a.plan", "--timing-cache", str(model)),
            "itself; give the timing cache another",
        ),
        ((str(model), "-o", "no/a.plan"), "its folder no does not exist"),
        ((str(model), "-o", "a.engine"), "output a.engine: expected a name that ends in .plan"),
        ((str(model), "-o", "a.plan", "--max", "100x96"), "size is 100x96, expected multiples of 8"),
        ((str(model), "-o", "a.plan", "--max", "large"), "large"),
        ((str(model), "-o", "a.plan", "--hardware-compatible"), "TensorRT for RTX has no such thing"),
        (("text.onnx", "-o", "a.plan"), "text.onnx: cannot be read; expected an ONNX file"),
        (("none.onnx", "-o", "a.plan"), "neither a file nor a model of this package"),
    ]:
        done = build(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("ptfan: error: ")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "a.plan").exists()
