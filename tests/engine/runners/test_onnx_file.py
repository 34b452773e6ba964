from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.engine.models import find_model, shipped_models
from ptfan.engine.runners.onnx_file import count_nodes, read_spec, without_functions
from ptfan.engine.spec import METADATA_KEY, ModelSpec

onnx = pytest.importorskip("onnx")
SPEC = ModelSpec(name="tiny", window=4, stride=2, lookahead=0)


def save(path: Path, metadata: dict[str, str]) -> Path:
    helper = onnx.helper
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["T"])
    nodes = [helper.make_node("Warp", ["x"], ["y"], domain="mine"), helper.make_node("Warp", ["y"], ["z"])]
    graph = helper.make_graph(nodes, "tiny", [value], [value])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)])
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("name", shipped_models())
def test_it_reads_what_the_library_reads(name: str) -> None:
    path = find_model(name)
    model = onnx.load(path)
    (text,) = [entry.value for entry in model.metadata_props if entry.key == METADATA_KEY]
    assert read_spec(path) == ModelSpec.from_json(text)
    assert count_nodes(path, "FlowWarp", "ai.ptfan") == sum(node.op_type == "FlowWarp" for node in model.graph.node) > 0


@pytest.mark.parametrize("name", ["s", "s-live-fp16"])
def test_functions_are_left_out_and_nothing_else(name: str) -> None:
    whole, rest = onnx.load(find_model(name)), onnx.load_from_string(without_functions(find_model(name)))
    assert whole.functions
    assert not rest.functions
    del whole.functions[:]
    assert rest == whole


def test_an_op_is_told_from_its_namesake(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", {"other": "1", METADATA_KEY: SPEC.to_json()})
    assert read_spec(path) == SPEC
    assert [count_nodes(path, "Warp", domain) for domain in ("mine", "", "yours")] == [1, 1, 0]


def test_files_without_a_spec(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no ptfan spec in its metadata; export it with"):
        read_spec(save(tmp_path / "m.onnx", {"other": "1"}))
    with pytest.raises(ModelError, match=r"m\.onnx: model spec: name is missing"):
        read_spec(save(tmp_path / "m.onnx", {METADATA_KEY: "{}"}))


@pytest.mark.parametrize("read", [read_spec, lambda path: count_nodes(path, "Warp", "mine"), without_functions])
def test_no_file_and_an_empty_one(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="there is no such file"):
        read(tmp_path / "none.onnx")
    (tmp_path / "m.onnx").touch()
    with pytest.raises(ModelError, match=r"m\.onnx: is empty; expected an ONNX file"):
        read(tmp_path / "m.onnx")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40), cut=st.floats(0, 1))
def test_no_content_does_more_than_raise(content: bytes, cut: float, tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", {METADATA_KEY: SPEC.to_json()})
    whole = path.read_bytes()
    for data in (content, whole[: int(cut * len(whole))], content + whole):
        path.write_bytes(data)
        try:
            assert read_spec(path) == SPEC
            assert count_nodes(path, "Warp", "mine") in (0, 1)
            without_functions(path)
        except ModelError:
            pass
