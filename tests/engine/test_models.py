from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from ptfan.engine import models
from ptfan.engine.errors import InputNotFoundError
from ptfan.engine.models import file_sha256, find_model, flow_model, shipped_models
from ptfan.engine.runners.onnx_file import read_spec


def test_shipped_models_lie_in_the_package_under_their_names() -> None:
    for name, path in shipped_models().items():
        assert path == Path(models.__file__).parent / f"{name}.onnx"
        assert path.is_file()
        assert find_model(name) == path


def test_a_model_by_path(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(b"")
    assert find_model(path) == path
    assert find_model(str(path)) == path


def test_neither_a_name_nor_a_file(tmp_path: Path) -> None:
    for missing in ("no-such-model", str(tmp_path / "none.onnx"), tmp_path):
        with pytest.raises(InputNotFoundError, match="neither a file nor a model of this package") as caught:
            find_model(missing)
        assert str(missing) in str(caught.value)


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    path = tmp_path / "file"
    path.write_bytes(content)
    assert file_sha256(path) == hashlib.sha256(content).hexdigest()
    path.write_bytes(b"exported again")
    assert file_sha256(path) == hashlib.sha256(b"exported again").hexdigest()


def test_flow_is_completed_by_int8_where_the_cpu_gains_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for fast, name in ((True, "flow-int8.onnx"), (False, "flow.onnx")):
        monkeypatch.setattr(models, "multiplies_bytes", lambda fast=fast: fast)
        assert (flow_model().name, flow_model().is_file()) == (name, True)
    assert read_spec(models.FLOW_MODEL.with_name("flow-int8.onnx")) == replace(
        read_spec(models.FLOW_MODEL), convolutions="int8"
    )
    assert not [name for name in shipped_models() if name.startswith("flow")]
