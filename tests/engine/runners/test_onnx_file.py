from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.engine.models import find_model, shipped_models
from ptfan.engine.runners.backends import BackendName
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.onnx_file import check_whole, count_nodes, read_spec, without_functions
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


def elsewhere(tensor: Any) -> Any:
    """Let a tensor lie outside of its model."""
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    return tensor


def tensor() -> Any:
    return onnx.numpy_helper.from_array(np.zeros(3, np.float32), "x")


def places() -> dict[str, Any]:
    """Return a model for each place where a tensor may stand."""
    helper, found = onnx.helper, {}
    constant = helper.make_node("Constant", [], ["c"], value=elsewhere(tensor()))
    several = helper.make_node("Mine", [], ["c"], values=[elsewhere(tensor())])
    inner = helper.make_graph([constant], "inner", [], [])
    sparse = onnx.SparseTensorProto(values=tensor(), indices=elsewhere(tensor()), dims=[3])
    found["initializer"] = helper.make_graph([], "g", [], [], [elsewhere(tensor())])
    found["sparse initializer"] = helper.make_graph([], "g", [], [], sparse_initializer=[sparse])
    found["constant"] = helper.make_graph([constant], "g", [], [])
    found["list"] = helper.make_graph([several], "g", [], [])
    found["branch"] = helper.make_graph([helper.make_node("If", ["x"], ["y"], then_branch=inner)], "g", [], [])
    found["branches"] = helper.make_graph([helper.make_node("Mine", [], ["y"], bodies=[inner])], "g", [], [])
    models = {name: helper.make_model(graph) for name, graph in found.items()}
    plain = helper.make_graph([], "g", [], [])
    function = helper.make_function("mine", "F", [], ["c"], [constant], [helper.make_opsetid("", 18)])
    models["function"] = helper.make_model(plain, functions=[function])
    models["training"] = helper.make_model(plain)
    models["training"].training_info.add(algorithm=found["constant"])
    return models


PLACES = ("initializer", "sparse initializer", "constant", "list", "branch", "branches", "function", "training")


@pytest.mark.parametrize("place", PLACES)
def test_a_model_that_leads_out_of_its_file_is_refused(place: str, tmp_path: Path) -> None:
    models = places()
    assert tuple(models) == PLACES
    (tmp_path / "m.onnx").write_bytes(models[place].SerializeToString())
    with pytest.raises(ModelError, match="keeps tensors in other files"):
        check_whole(tmp_path / "m.onnx")


@pytest.mark.parametrize("name", shipped_models())
def test_a_model_in_one_file_is_taken(name: str) -> None:
    check_whole(find_model(name))


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_no_runner_takes_a_model_that_leads_out_of_its_file(backend: BackendName, tmp_path: Path) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")
    model = onnx.load(find_model("s-live"))
    elsewhere(model.graph.initializer[0])
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="keeps tensors in other files"):
        open_runner(tmp_path / "m.onnx", backend=backend)


def test_files_without_a_spec(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no ptfan spec in its metadata; export it with"):
        read_spec(save(tmp_path / "m.onnx", {"other": "1"}))
    with pytest.raises(ModelError, match=r"m\.onnx: model spec: name is missing"):
        read_spec(save(tmp_path / "m.onnx", {METADATA_KEY: "{}"}))


@pytest.mark.parametrize(
    "read", [read_spec, lambda path: count_nodes(path, "Warp", "mine"), without_functions, check_whole]
)
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
            check_whole(path)
        except ModelError:
            pass
