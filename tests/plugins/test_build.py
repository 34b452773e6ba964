"""The C++ side as its users build it: CMake, and its own tests by CTest."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
HEADERS = os.environ.get("TENSORRT_INCLUDE_DIR", "")
"""The folder of NvInferRuntime.h, where the plugin is to be built as well."""

for tool in ("cmake", "nvcc"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not here: the kernel is not compiled", allow_module_level=True)


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugins")
    options = [f"-DTENSORRT_INCLUDE_DIR={HEADERS}"] if HEADERS else []
    configured = run("cmake", "-S", PLUGINS, "-B", folder, "-DPTFAN_ARCHITECTURES=80", *options)
    assert "compute capabilities: 80" in configured
    run("cmake", "--build", folder)
    return folder


def test_it_compiles_and_its_tests_pass(build: Path) -> None:
    told = run("ctest", "--test-dir", build)
    assert "100% tests passed" in told
    assert "reference" in told


@pytest.mark.parametrize("architecture", [75, 80, 90])
def test_the_assembler_leaves_the_loads_together(architecture: int, tmp_path: Path) -> None:
    source = str(PLUGINS / "src" / "flow_warp.cu")
    command = ["nvcc", "-std=c++17", "-cubin", f"-arch=sm_{architecture}", "-Xptxas", "-v", f"-I{PLUGINS / 'include'}"]
    done = subprocess.run(
        [*command, source, "-o", str(tmp_path / "kernels.cubin")], capture_output=True, text=True, check=True
    )
    # Their values and the places that they come from fill so many; where they are taken apart, 32 and 40 do.
    registers = [int(count) for count in re.findall(r"Used (\d+) registers", done.stdout + done.stderr)]
    assert len(registers) == 3
    assert all(50 <= count <= 64 for count in registers)
    assert set(re.findall(r"(\d+) bytes spill", done.stdout + done.stderr)) == {"0"}


@pytest.mark.parametrize("asked", ["8.7", "80,87", "sm_87"])
def test_capabilities_that_no_compiler_knows_are_told_of_at_once(asked: str, tmp_path: Path) -> None:
    command = ["cmake", "-S", str(PLUGINS), "-B", str(tmp_path), f"-DPTFAN_ARCHITECTURES=75;{asked}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"PTFAN_ARCHITECTURES has {asked}, expected numbers such as 87 for" in " ".join(done.stderr.split())


@pytest.mark.skipif(not HEADERS, reason="TENSORRT_INCLUDE_DIR does not name TensorRT's headers")
def test_the_library_needs_no_tensorrt_and_shows_two_functions(build: Path) -> None:
    library = build / "libptfan_plugin.so"
    assert "nvinfer" not in run("ldd", library)
    shown = {line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines() if " T " in line}
    assert shown == {"getCreators", "setLoggerFinder"}


@pytest.mark.skipif(not HEADERS, reason="TENSORRT_INCLUDE_DIR does not name TensorRT's headers")
def test_the_library_that_makes_itself_known_needs_no_tensorrt_to_link_and_shows_nothing(build: Path) -> None:
    library = build / "libptfan_plugin_preload.so"
    assert "nvinfer" not in run("ldd", library)
    shown = [line for line in run("nm", "-D", "--defined-only", library).splitlines() if " T " in line]
    assert shown == []


@pytest.mark.skipif(not HEADERS, reason="TENSORRT_INCLUDE_DIR does not name TensorRT's headers")
@pytest.mark.parametrize("module", ["tensorrt_rtx", "tensorrt_lean_bindings.tensorrt_lean"])
def test_tensorrt_loads_the_library_and_its_creator_answers(build: Path, module: str) -> None:
    trt = pytest.importorskip(module)
    registry = trt.get_plugin_registry()
    handle = registry.load_library(str(build / "libptfan_plugin.so"))
    assert handle is not None
    creator = registry.get_creator("FlowWarp", "1", "ai.ptfan")
    assert {field.name for field in creator.field_names} == {"convention", "require_nonzero"}
    registry.deregister_library(handle)
