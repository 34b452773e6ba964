from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ptfan.engine.errors import BackendError, InputNotFoundError
from ptfan.engine.models import file_sha256
from ptfan.engine.runners.trt import flow_warp_plugin, plugin_choice
from ptfan.engine.runners.trt.flow_warp_kernel import check_compiler
from ptfan.engine.runners.trt.plugin_choice import LIBRARY_NAME, PLUGIN_VARIABLE, Plugin, find_plugin


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "mine.so"
    path.write_bytes(b"library")
    return path


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PLUGIN_VARIABLE, raising=False)
    monkeypatch.setattr(plugin_choice, "_loaded", {})


def test_the_option_then_the_variable_then_the_folder(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / LIBRARY_NAME
    beside.write_bytes(b"another")
    assert find_plugin(None, tmp_path, "python") == Plugin("library", beside)
    monkeypatch.setenv(PLUGIN_VARIABLE, str(library))
    assert find_plugin(None, tmp_path, "none") == Plugin("library", library)
    assert find_plugin(str(beside), tmp_path, "none") == Plugin("library", beside)
    assert find_plugin("none", tmp_path, "python") == Plugin("none")
    assert find_plugin("python", tmp_path, "none") == Plugin("python")
    assert Plugin("library", library).sha256 == file_sha256(library)


def test_where_there_is_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_choice, "find_spec", lambda name: object())
    assert find_plugin(None, tmp_path, "python") == Plugin("python")
    assert find_plugin(None, tmp_path, "none") == Plugin("none")
    monkeypatch.setattr(plugin_choice, "find_spec", lambda name: None)
    assert find_plugin(None, tmp_path, "python") == Plugin("none")
    with pytest.raises(InputNotFoundError, match=r"no.so: there is no such file; expected libptfan_plugin\.so"):
        find_plugin("no.so", tmp_path, "python")


def registry(load: Any) -> Any:
    found = SimpleNamespace(load_library=load)
    return SimpleNamespace(__name__="tensorrt", get_plugin_registry=lambda: found)


def test_a_library_that_cannot_be_loaded(library: Path) -> None:
    def broken(path: str) -> None:
        raise RuntimeError("wrong ELF\nclass")

    with pytest.raises(BackendError, match=r"mine.so: cannot be loaded \(wrong ELF class\)"):
        Plugin("library", library).load(registry(broken))
    with pytest.raises(BackendError, match="was it built for this TensorRT"):
        Plugin("library", library).load(registry(lambda path: None))
    Plugin("none").load(registry(broken))


def test_a_process_loads_one_library_once(library: Path, tmp_path: Path) -> None:
    loaded: list[str] = []
    module = registry(lambda path: loaded.__iadd__([path]))
    copy, another = tmp_path / "copy.so", tmp_path / "another.so"
    copy.write_bytes(library.read_bytes())
    another.write_bytes(b"another")
    for path in (library, library, copy):
        Plugin("library", path).load(module)
    assert loaded == [str(library)]
    with pytest.raises(BackendError, match=r"another.so: this process has loaded another one; use them one at a time"):
        Plugin("library", another).load(module)


def test_the_plugin_in_python_makes_room_for_a_library(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, gone = registry(lambda path: object()), list[str]()
    module.get_plugin_registry().deregister_creator = gone.append
    monkeypatch.setattr(flow_warp_plugin, "_creators", {"tensorrt": "the creator"})
    Plugin("library", library).load(module)
    assert gone == ["the creator"]


@pytest.mark.parametrize(("driver", "said"), [(0, ""), (13000, ""), (12080, "NVRTC 13.5 compiles for drivers")])
def test_a_compiler_that_is_newer_than_the_driver_is_told_of(
    driver: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cuda.bindings", reason="cuda-bindings is not installed")
    found = SimpleNamespace(cudaDriverGetVersion=lambda: (0, driver))
    monkeypatch.setattr("ptfan.engine.runners.trt.flow_warp_kernel.import_cuda", lambda: found)
    monkeypatch.setattr("cuda.bindings.nvrtc.nvrtcVersion", lambda: (0, 13, 5))
    with pytest.raises(BackendError, match=said) if said else nullcontext():
        check_compiler()
