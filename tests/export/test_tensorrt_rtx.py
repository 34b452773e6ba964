"""Both presets in both precisions at their real size, through TensorRT's parser and builder. That needs no GPU."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from ptfan.engine.models import FLOW_MODEL
from ptfan.export.dimensions import CHANNELS

if importlib.util.find_spec("tensorrt_rtx") is None:
    pytest.skip("tensorrt-rtx is not installed: pip install tensorrt-rtx", allow_module_level=True)

PROGRAM = Path(__file__).parent / "tensorrt_rtx_build.py"
SIZES = ((1, 64, 64), (15, 240, 432), (30, 480, 864))
"""T, H and W of the profile: least, usual, most."""
WARPS = {"s": 24, "r50": 42}


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the library has the name that the parser asks for; the wheel has another."""
    spec = importlib.util.find_spec("tensorrt_rtx_libs")
    assert spec is not None
    assert spec.submodule_search_locations
    (library,) = Path(spec.submodule_search_locations[0]).glob("libtensorrt_rtx.so.*")
    folder = tmp_path_factory.mktemp("libraries")
    (folder / "libtensorrt_rtx.so").symlink_to(library)
    return folder


@pytest.fixture
def build(libraries: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that parses and builds a model in a process of its own."""

    def run(model: onnx.ModelProto, profiles: dict[str, Any] | None = None) -> dict[str, Any]:
        path = tmp_path / "model.onnx"
        onnx.save(model, path)
        folders = os.pathsep.join([str(libraries), os.environ.get("LD_LIBRARY_PATH", "")])
        done = subprocess.run(
            [sys.executable, PROGRAM, path, json.dumps(profiles or {})],
            env={**os.environ, "LD_LIBRARY_PATH": folders},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert result["errors"] == [], result["errors"]
        return result

    return run


def profiles(fixed: bool = False) -> dict[str, Any]:
    sizes = [(frames, 240, 432) for frames, _, _ in SIZES] if fixed else SIZES
    return {
        name: [[frames, channels, height, width] for frames, height, width in sizes]
        for name, channels in CHANNELS.items()
    }


@pytest.mark.parametrize("name", ["s", "r50"])
def test_fp32_of_any_size(
    name: str, graph: Callable[[str], onnx.ModelProto], build: Callable, record_property: Callable
) -> None:
    result = build(graph(f"{name}_graph"), profiles())
    assert set(result["inputs"].values()) == {"DataType.FLOAT"}
    check(name, result, record_property)


@pytest.mark.parametrize("name", ["s", "r50"])
def test_fp16_at_real_size(
    name: str, graph: Callable[[str], onnx.ModelProto], build: Callable, record_property: Callable
) -> None:
    result = build(graph(f"{name}_real_fp16"), profiles(fixed=True) if name == "s" else None)
    assert result["inputs"] == {
        name: "DataType.FLOAT" if name.startswith("flow") else "DataType.HALF" for name in CHANNELS
    }
    assert result["outputs"] == {"fill": "DataType.HALF"}
    check(name, result, record_property)


def test_flow_completion_of_any_size(build: Callable) -> None:
    sizes = ((1, 16, 16), (30, 60, 108), (30, 120, 216))
    shapes = {name: [[t, channels, h, w] for t, h, w in sizes] for name, channels in (("flow", 4), ("known", 1))}
    result = build(onnx.load(FLOW_MODEL), shapes)
    assert set(result["inputs"].values()) == {"DataType.FLOAT"}
    assert set(result["outputs"]) == {"completed", "spread"}


def check(name: str, result: dict[str, Any], record_property: Callable) -> None:
    """Without a plugin, the function of each FlowWarp node is inlined, and each has one GridSample."""
    assert result["layers"]["GRID_SAMPLE"] == WARPS[name]
    assert result["bytes"] > 1e6
    record_property("build_seconds", result["build_seconds"])
