"""The op's function in ONNX Runtime, and OpenVINO's form of the op, against the network's own warp in torch; and how it
stands in a graph."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from ptfan.engine.runners.ov.flow_warp_conversion import flow_warp_extension
from ptfan.engine.runners.ov.openvino_module import import_openvino
from ptfan.engine.spec import FLOW_WARP, FLOW_WARP_DOMAIN
from ptfan.export.flow_warp_op import OPSET, attach_flow_warp, flow_warp_function, symbolic_flow_warp
from ptfan.training.model import align

KINDS = [("pixel", False, False), ("pixel", True, False), ("pixel", True, True), ("tsam", True, False)]
KINDS += [("tsam", True, True), ("tsam", False, False)]
"""Convention, with the second output, and whether that is required not to be zero."""


def one_node(convention: str, nonzero: bool, required: bool, dtype: int) -> onnx.ModelProto:
    """A graph of nothing but the op."""
    outputs = ["y", "nonzero"] if nonzero else ["y"]
    inputs: dict[str, str | int | None] = {"x": "C", "flow": 2, "validity": 1, "fallback": "C"}
    node = helper.make_node(
        FLOW_WARP, list(inputs), outputs, domain=FLOW_WARP_DOMAIN, convention=convention, require_nonzero=int(required)
    )
    graph = helper.make_graph(
        [node],
        "op",
        [
            helper.make_tensor_value_info(
                name, TensorProto.FLOAT if name == "flow" else dtype, ["N", channels, "H", "W"]
            )
            for name, channels in inputs.items()
        ],
        [helper.make_tensor_value_info(name, dtype, ["N", {"y": "C"}.get(name, 1), "H", "W"]) for name in outputs],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FLOW_WARP_DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    assert attach_flow_warp(model) == 1
    onnx.checker.check_model(model, full_check=True)
    return model


@cache
def session(*kind: Any) -> Any:
    onnxruntime = pytest.importorskip("onnxruntime")
    return onnxruntime.InferenceSession(one_node(*kind).SerializeToString(), providers=["CPUExecutionProvider"])


class OpenVINOSession:
    """OpenVINO with the calls of ONNX Runtime."""

    def __init__(self, model: onnx.ModelProto) -> None:
        pytest.importorskip("openvino")
        self.core = import_openvino().Core()
        self.core.add_extension(flow_warp_extension())
        self.graph = self.core.read_model(model.SerializeToString())
        self.names = [entry.any_name for entry in self.graph.outputs]

    def run(self, names: list[str] | None, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        graph = self.graph.clone()
        graph.reshape({name: list(array.shape) for name, array in inputs.items()})
        outputs = self.core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(inputs)
        return [outputs[name] for name in names or self.names]


@cache
def openvino_session(*kind: Any) -> OpenVINOSession:
    return OpenVINOSession(one_node(*kind))


def random_inputs(shape: tuple[int, int, int, int], reach: float, dtype: Any, seed: int) -> dict[str, NDArray[Any]]:
    """Features that are zero here and there, as after a rectifier, and flows of up to `reach` pixels."""
    random = np.random.default_rng(seed)
    frames, _, height, width = shape
    return {
        "x": np.maximum(random.normal(size=shape), 0).astype(dtype),
        "flow": random.uniform(-reach, reach, (frames, 2, height, width)).astype(np.float32),
        "validity": (random.random((frames, 1, height, width)) < 0.7).astype(dtype),
        "fallback": random.normal(size=shape).astype(dtype),
    }


def reference(inputs: dict[str, NDArray[Any]], convention: Any, required: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    x, flow, validity, fallback = (torch.from_numpy(array) for array in inputs.values())
    y, nonzero = align.flow_warp(x, flow, validity, fallback, convention, required)
    return y.numpy(), nonzero.numpy()


ANY_KIND = pytest.mark.parametrize(("convention", "nonzero", "required"), KINDS)
ANY_TYPE = pytest.mark.parametrize("dtype", [np.float32, np.float16])
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9), st.integers(1, 9))
REACHES = st.sampled_from([0.0, 0.4, 3.0, 20.0, 1e6])
SEEDS = st.integers(0, 2**32 - 1)


def check(runtime: Any, kind: tuple[str, bool, bool], dtype: Any, shape: Any, reach: float, seed: int) -> None:
    """Hold a runtime to the network's own warp."""
    convention, _, required = kind
    inputs = random_inputs(shape, reach, dtype, seed)
    outputs = runtime(*kind, TensorProto.FLOAT if dtype is np.float32 else TensorProto.FLOAT16).run(None, inputs)
    for result, expected in zip(outputs, reference(inputs, convention, required), strict=False):
        assert result.dtype == dtype
        assert np.isfinite(result).all()
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5 if dtype is np.float32 else 4e-3)


@ANY_TYPE
@ANY_KIND
@given(shape=SHAPES, reach=REACHES, seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_the_function_is_the_networks_warp(
    convention: str, nonzero: bool, required: bool, dtype: Any, shape: Any, reach: float, seed: int
) -> None:
    check(session, (convention, nonzero, required), dtype, shape, reach, seed)


@ANY_TYPE
@ANY_KIND
@given(shape=SHAPES, reach=REACHES, seed=SEEDS)
@settings(max_examples=8, deadline=None)
def test_openvino_s_form_is_the_networks_warp(
    convention: str, nonzero: bool, required: bool, dtype: Any, shape: Any, reach: float, seed: int
) -> None:
    check(openvino_session, (convention, nonzero, required), dtype, shape, reach, seed)


def test_zero_flow_gives_the_picture_itself_where_valid_and_the_fallback_elsewhere() -> None:
    inputs = random_inputs((2, 3, 7, 5), 0.0, np.float32, 1)
    (y,) = session("pixel", False, False, TensorProto.FLOAT).run(None, inputs)
    np.testing.assert_allclose(y, np.where(inputs["validity"] > 0.5, inputs["x"], inputs["fallback"]), atol=1e-6)


@pytest.mark.parametrize("runtime", [session, openvino_session])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 3e38])
def test_flow_that_is_not_valid_is_not_looked_at(runtime: Any, kind: tuple[str, bool, bool], poison: float) -> None:
    inputs = random_inputs((1, 2, 6, 8), 2.0, np.float32, 2)
    invalid = inputs["validity"] < 0.5
    inputs["flow"][np.broadcast_to(invalid, inputs["flow"].shape)] = poison
    y = runtime(*kind, TensorProto.FLOAT).run(["y"], inputs)[0]
    where = np.broadcast_to(invalid, y.shape)
    np.testing.assert_array_equal(y[where], inputs["fallback"][where])
    assert np.isfinite(y).all()


def test_the_second_output_tells_where_something_arrived_whether_valid_or_not() -> None:
    inputs = random_inputs((1, 2, 6, 8), 0.0, np.float32, 3)
    inputs["x"][..., :4] = 0
    inputs["x"][..., 4:] = 1
    inputs["validity"][:] = 0
    _, nonzero = session("pixel", True, False, TensorProto.FLOAT).run(None, inputs)
    np.testing.assert_array_equal(nonzero[0, 0, :, :3], 0)
    np.testing.assert_array_equal(nonzero[0, 0, :, 5:], 1)


def test_a_position_far_right_is_not_rounded_to_fp16() -> None:
    width = 432
    inputs = {
        "x": np.arange(width, dtype=np.float16).reshape(1, 1, 1, width) / 8,
        "flow": np.full((1, 2, 1, width), 0.25, np.float32) * np.array([1, 0], np.float32).reshape(1, 2, 1, 1),
        "validity": np.ones((1, 1, 1, width), np.float16),
        "fallback": np.zeros((1, 1, 1, width), np.float16),
    }
    (y,) = session("pixel", False, False, TensorProto.FLOAT16).run(None, inputs)
    expected = (np.arange(width - 1) + 0.25) / 8
    np.testing.assert_allclose(
        y[0, 0, 0, :-1], expected, atol=0.02
    )  # half a step of fp16 at 54; 0.1 px would be 0.0125
    np.testing.assert_allclose(y[0, 0, 0, :200], expected[:200], atol=0.01)


def test_a_function_that_cannot_require_has_one_output() -> None:
    plain, full = (flow_warp_function("pixel", nonzero=nonzero) for nonzero in (False, True))
    assert list(plain.output) == ["y"]
    assert list(full.output) == ["y", "nonzero"]
    for function in (plain, full):
        assert (function.domain, function.name) == (FLOW_WARP_DOMAIN, FLOW_WARP)
        assert list(function.input) == ["x", "flow", "validity", "fallback"]
        assert list(function.attribute) == ["convention", "require_nonzero", "plugin_namespace"]
        assert {node.domain for node in function.node} == {""}


def test_nodes_of_two_kinds_do_not_share_a_function() -> None:
    model = one_node("pixel", False, False, TensorProto.FLOAT)
    model.graph.node.add().CopyFrom(one_node("tsam", True, True, TensorProto.FLOAT).graph.node[0])
    with pytest.raises(AssertionError, match="one body"):
        attach_flow_warp(model)


def test_a_graph_without_warps_gets_no_function() -> None:
    model = onnx.ModelProto()
    assert attach_flow_warp(model) == 0
    assert not model.functions


def test_the_networks_own_warp_comes_back() -> None:
    before = align.flow_warp
    with symbolic_flow_warp():
        assert align.flow_warp is not before
    assert align.flow_warp is before
    with pytest.raises(ZeroDivisionError), symbolic_flow_warp():
        raise ZeroDivisionError
    assert align.flow_warp is before
