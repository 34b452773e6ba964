from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ptfan.engine.errors import BackendError, InputNotFoundError
from ptfan.engine.models import file_sha256
from ptfan.engine.trt import plugin_choice
from ptfan.engine.trt.plugin_choice import LIBRARY_NAME, PLUGIN_VARIABLE, Plugin, find_plugin


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "mine.so"
    path.write_bytes(b"library")
    return path


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PLUGIN_VARIABLE, raising=False)


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


def test_a_library_that_cannot_be_loaded(library: Path) -> None:
    def registry(load: Any) -> Any:
        return SimpleNamespace(get_plugin_registry=lambda: SimpleNamespace(load_library=load))

    def broken(path: str) -> None:
        raise RuntimeError("wrong ELF\nclass")

    with pytest.raises(BackendError, match=r"mine.so: cannot be loaded \(wrong ELF class\)"):
        Plugin("library", library).load(registry(broken))
    with pytest.raises(BackendError, match="was it built for this TensorRT"):
        Plugin("library", library).load(registry(lambda path: None))
    loaded: list[str] = []
    Plugin("library", library).load(registry(lambda path: loaded.__iadd__([path])))
    Plugin("none").load(registry(broken))
    assert loaded == [str(library)]
