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

from ptfan.engine.models import FLOW_MODEL, find_model
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.spec import CLIP_CHANNELS

if importlib.util.find_spec("tensorrt_rtx") is None:
    pytest.skip("tensorrt-rtx is not installed: pip install tensorrt-rtx", allow_module_level=True)

PROGRAM = Path(__file__).parent / "tensorrt_rtx_build.py"
SIZES = ((1, 64, 64), (15, 240, 432), (30, 480, 864))
"""T, H and W of the profile: least, usual, most."""
WARPS = {"s": 24, "r50": 42, "s-fp16": 24, "s-live-fp16": 12}


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

    def run(model: onnx.ModelProto, profiles: dict[str, Any] | None = None, plugin: str = "") -> dict[str, Any]:
        path = tmp_path / "model.onnx"
        onnx.save(model, path)
        folders = os.pathsep.join([str(libraries), os.environ.get("LD_LIBRARY_PATH", "")])
        done = subprocess.run(
            [sys.executable, PROGRAM, path, json.dumps(profiles or {}), plugin],
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
        for name, channels in CLIP_CHANNELS.items()
    }


@pytest.mark.parametrize("name", ["s", "r50"])
def test_fp32_of_any_size(
    name: str, graph: Callable[[str], onnx.ModelProto], build: Callable, record_property: Callable
) -> None:
    for plugin in ("", "python"):
        result = build(graph(f"{name}_graph"), profiles(), plugin)
        assert set(result["inputs"].values()) == {"DataType.FLOAT"}
        check(name, result, plugin, record_property)


@pytest.mark.parametrize("name", ["s", "r50"])
def test_fp16_at_real_size(
    name: str, graph: Callable[[str], onnx.ModelProto], build: Callable, record_property: Callable
) -> None:
    for plugin in ("", "python"):
        result = build(graph(f"{name}_real_fp16"), profiles(fixed=True) if name == "s" else None, plugin)
        assert result["inputs"] == {
            name: "DataType.FLOAT" if name.startswith("flow") else "DataType.HALF" for name in CLIP_CHANNELS
        }
        assert result["outputs"] == {"fill": "DataType.HALF"}
        check(name, result, plugin, record_property)


@pytest.mark.parametrize("plugin", ["", "python"])
@pytest.mark.parametrize("name", ["s", "s-fp16", "s-live-fp16"])
def test_the_step_forms_that_are_shipped(name: str, plugin: str, build: Callable, record_property: Callable) -> None:
    model, spec = onnx.load(find_model(name)), read_spec(find_model(name))
    named = {value.name: value for value in model.graph.input}
    sizes = ((1, 64, 64), (1, 240, 432), (4, 480, 864))
    shapes = {name: [_sized(value, *size) for size in sizes] for name, value in named.items()}
    result = build(model, shapes, plugin)
    assert set(result["outputs"]) == {"fill", *(item.name for item in spec.carried)}
    check(name, result, plugin, record_property)


def _sized(value: onnx.ValueInfoProto, streams: int, height: int, width: int) -> list[int]:
    """Return an input's shape for a number of streams and a size of frames."""
    sides = {"B": streams, "H": height, "W": width}
    found = []
    for dim in value.type.tensor_type.shape.dim:
        side, _, divisor = dim.dim_param.partition("/")
        found.append(sides[side] // int(divisor or 1) if side else dim.dim_value)
    return found


def test_flow_completion_of_any_size(build: Callable) -> None:
    sizes = ((1, 16, 16), (30, 60, 108), (30, 120, 216))
    shapes = {name: [[t, channels, h, w] for t, h, w in sizes] for name, channels in (("flow", 4), ("known", 1))}
    result = build(onnx.load(FLOW_MODEL), shapes)
    assert set(result["inputs"].values()) == {"DataType.FLOAT"}
    assert set(result["outputs"]) == {"completed", "spread"}


def check(name: str, result: dict[str, Any], plugin: str, record_property: Callable) -> None:
    """With the plugin, it takes each FlowWarp node; without, the op's function is inlined, one GridSample each."""
    here, gone = ("PLUGIN_V3", "GRID_SAMPLE") if plugin else ("GRID_SAMPLE", "PLUGIN_V3")
    assert result["layers"][here] == WARPS[name]
    assert gone not in result["layers"]
    assert result["bytes"] > 1e6
    record_property("build_seconds", result["build_seconds"])
