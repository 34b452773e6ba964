"""Builds as TensorRT is asked for them; those that TensorRT for RTX really does are in tests/cli/test_build.py."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ptfan.engine.errors import (
    BackendError,
    InputError,
    InterruptedRunError,
    MissingExtraError,
    ModelError,
    OutputError,
)
from ptfan.engine.models import FLOW_MODEL, file_sha256, find_model
from ptfan.engine.progress import NoProgress
from ptfan.engine.runners.onnx_file import read_spec, without_functions
from ptfan.engine.runners.trt.build import BuildSettings, build_plan
from ptfan.engine.runners.trt.gpu import Gpu
from ptfan.engine.runners.trt.plan_record import read_record
from ptfan.engine.runners.trt.tensorrt_module import check_plugins_can_be_parsed, import_tensorrt

SETTINGS = BuildSettings(plugin="library.so")
EMBEDDED: dict[str, Any] = {"embed_plugin": True, "version_compatible": True}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuda: Any) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "library.so").write_bytes(b"library")
    return tmp_path


class Steps(NoProgress):
    def __init__(self) -> None:
        self.said: list[Any] = []

    def start(self, name: str, total: int | None, unit: str = "frames") -> None:
        self.said.append((name, total, unit))

    def advance(self) -> None:
        self.said.append("step")


def test_a_plan_and_its_record(tensorrt: Any, cuda: Any, folder: Path) -> None:
    steps, output = Steps(), folder / "s-live.plan"
    built = build_plan("s-live", output, replace(SETTINGS, gpu=0, frames=2), progress=steps)
    assert output.read_bytes() == b"a plan"
    assert read_record(output) == built
    assert (built.spec, built.model) == (read_spec(find_model("s-live")), "s-live")
    assert built.model_sha256 == file_sha256(find_model("s-live"))
    assert (built.tensorrt, built.tensorrt_version, built.gpu) == ("tensorrt", "10.13.3.9", Gpu("Orin", (8, 7)))
    assert (built.plugin, built.plugin_sha256) == ("library", file_sha256(folder / "library.so"))
    assert tensorrt.libraries == [str(folder / "library.so")]
    assert tensorrt.parsed == [without_functions(find_model("s-live"))]  # else 10.3 would take them, not the plugin
    assert steps.said == [("Building engine", 3, "steps"), "step", "step", "step"]
    (config,) = tensorrt.configs
    assert config.flags == set(), "fp32 means fp32"
    assert config.profiles == [{"frames": ((1, 3, 64, 64), (2, 3, 240, 432), (2, 3, 480, 864))}]
    assert cuda.device == 0


def test_what_makes_a_plan_portable(tensorrt: Any, folder: Path) -> None:
    settings = replace(SETTINGS, version_compatible=True, hardware_compatible=True, embed_plugin=True)
    built = build_plan("s-live", folder / "a.plan", settings)
    assert built.version_compatible
    assert built.hardware_compatible
    assert built.plugin_embedded
    (config,) = tensorrt.configs
    assert config.flags == {"VERSION_COMPATIBLE"}
    assert config.hardware_compatibility_level == "AMPERE_PLUS"
    assert config.plugins_to_serialize == ["library.so"]


def test_a_graph_of_one_size_has_no_profile(tensorrt: Any, folder: Path) -> None:
    tensorrt.inputs[0].shape = (1, 3, 240, 432)
    build_plan("s-live", folder / "a.plan", SETTINGS)
    assert tensorrt.configs[0].profiles == []


def test_a_timing_cache_is_read_and_written(tensorrt: Any, folder: Path) -> None:
    settings, cache = replace(SETTINGS, timing_cache=folder / "timing.bin"), folder / "timing.bin"
    for expected in (b"+", b"++"):
        build_plan("s-live", folder / "a.plan", settings, overwrite=True)
        assert cache.read_bytes() == expected
    cache.write_bytes(b"of another")
    with pytest.raises(InputError, match=r"timing.bin: is of another GPU or TensorRT"):
        build_plan("s-live", folder / "b.plan", settings)
    assert cache.read_bytes() == b"of another"


def test_a_timing_cache_that_cannot_be_written_is_told_before_the_work(tensorrt: Any, folder: Path) -> None:
    with pytest.raises(OutputError, match="its folder none does not exist"):
        build_plan("s-live", folder / "a.plan", replace(SETTINGS, timing_cache=Path("none/timing.bin")))
    assert not tensorrt.parsed


def test_a_build_that_is_stopped_writes_nothing(tensorrt: Any, folder: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError, match="nothing was written"):
        build_plan("s-live", folder / "a.plan", SETTINGS, stop=stop)
    assert [path.name for path in folder.iterdir()] == ["library.so"]


@pytest.mark.parametrize(
    ("wrong", "kind", "said"),
    [
        ({"layers": []}, BackendError, "TensorRT gave 0 nodes to the plugin, expected 12"),
        ({"problems": ["bad\nnode", "worse"]}, ModelError, r"TensorRT cannot read it \(bad node; worse\)"),
        ({"fails": "out of\nmemory"}, BackendError, r"TensorRT cannot build it \(out of memory\)"),
    ],
)
def test_what_tensorrt_says_is_passed_on(
    wrong: dict[str, Any], kind: type[Exception], said: str, tensorrt: Any, folder: Path
) -> None:
    vars(tensorrt).update(wrong)
    with pytest.raises(kind, match=said):
        build_plan("s-live", folder / "a.plan", SETTINGS)
    assert not (folder / "a.plan").exists()


def test_what_cannot_be_built(tensorrt: Any, folder: Path) -> None:
    with pytest.raises(ModelError, match="of the flow form, which the CPU runs"):
        build_plan(FLOW_MODEL, folder / "a.plan")
    with pytest.raises(InputError, match="--embed-plugin needs the plugin's library, got plugin none"):
        build_plan("s-live", folder / "a.plan", replace(SETTINGS, plugin="none", **EMBEDDED))
    with pytest.raises(InputError, match="--embed-plugin needs --version-compatible"):
        build_plan("s-live", folder / "a.plan", replace(SETTINGS, embed_plugin=True))
    tensorrt.__name__ = "tensorrt_rtx"
    with pytest.raises(InputError, match="--timing-cache, --version-compatible: TensorRT for RTX has no such thing"):
        build_plan("s-live", folder / "a.plan", BuildSettings(timing_cache=Path("t"), version_compatible=True))


def test_a_module_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.engine.runners.trt.tensorrt_module.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"tensorrt is not installed: pip install 'ptfan\[tensorrt\]'"):
        import_tensorrt()
    with pytest.raises(MissingExtraError, match="tensorrt_rtx is not installed"):
        import_tensorrt("tensorrt_rtx")


def test_a_parser_that_would_end_the_process_is_not_called(tensorrt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", missing)
    check_plugins_can_be_parsed(tensorrt)
    tensorrt.__name__ = "tensorrt_rtx"
    with pytest.raises(BackendError, match=r"ln -s .*libtensorrt_rtx.so.1 DIR/libtensorrt_rtx.so.*LD_LIBRARY_PATH=DIR"):
        check_plugins_can_be_parsed(tensorrt)
