"""Convolutions that multiply bytes, on a network of two that can be counted by hand."""

from __future__ import annotations

import logging

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ptfan.engine.runners.ort.onnxruntime_module import import_onnxruntime
from ptfan.export.int8.convolutions import head_convolutions, with_int8_convolutions

SHAPE = (1, 3, 8, 8)


@pytest.fixture
def network() -> onnx.ModelProto:
    """Return a graph: a convolution (its weights stored as fp16), ReLU, another one, and a sum with the input."""
    rng = np.random.default_rng(0)
    first = rng.normal(0, 0.3, (4, 3, 3, 3)).astype(np.float16)
    second = rng.normal(0, 0.3, (3, 4, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["first.fp16"], ["first"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["x", "first"], ["features"], name="inner", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["features"], ["positive"], name="relu"),
        helper.make_node("Conv", ["positive", "second"], ["colours"], name="head", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["colours", "x"], ["fill"], name="sum"),
        helper.make_node("Identity", ["positive"], ["own"], name="carried"),
    ]
    graph = helper.make_graph(
        nodes,
        "two",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("fill", "own")],
        [numpy_helper.from_array(first, "first.fp16"), numpy_helper.from_array(second, "second")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return model


def shown(seed: int) -> dict[str, NDArray[np.float32]]:
    return {"x": np.random.default_rng(seed).uniform(-1, 1, SHAPE).astype(np.float32)}


def answer(model: onnx.ModelProto, inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    onnxruntime = import_onnxruntime()

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [np.asarray(array) for array in session.run(["fill", "own"], inputs)]


def test_the_head_is_what_no_other_convolution_follows(network: onnx.ModelProto) -> None:
    assert head_convolutions(network) == ["head"]


def test_all_but_the_head_multiply_bytes(network: onnx.ModelProto) -> None:
    before = network.SerializeToString()
    result = with_int8_convolutions(network, map(shown, range(8)))
    assert network.SerializeToString() == before
    makers = {name: node for node in result.graph.node for name in node.output}
    inner, head = (node for node in result.graph.node if node.op_type == "Conv")
    assert {makers[name].op_type for name in inner.input[:2]} == {"DequantizeLinear"}
    assert "second" in head.input
    weights = next(tensor for tensor in result.graph.initializer if tensor.name == makers[inner.input[1]].input[0])
    values = numpy_helper.to_array(weights)
    assert values.dtype == np.int8
    assert np.abs(values).max(axis=(1, 2, 3)).tolist() == [64] * 4, "seven bits, a scale for each output channel"


def test_what_it_answers_is_off_by_the_rounding(network: onnx.ModelProto) -> None:
    for seed in range(8):
        result = with_int8_convolutions(network, [shown(seed)])
        (fill, own), (expected, features) = answer(result, shown(seed)), answer(network, shown(seed))
        step = features.max() / 255
        assert 0 < np.abs(own - features).max() < 6 * step
        assert np.abs(fill - expected).max() < 30 * step


def test_the_log_is_left_as_it_was(network: onnx.ModelProto, caplog: pytest.LogCaptureFixture) -> None:
    level = logging.getLogger().level
    with_int8_convolutions(network, [shown(0)])
    assert logging.getLogger().level == level
    assert caplog.records == []


@pytest.mark.parametrize(("of_flow", "top"), [(False, 4.0), (True, 2.0)])
def test_ranges_are_the_extremes_of_the_calls_or_their_mean(
    of_flow: bool, top: float, network: onnx.ModelProto
) -> None:
    deep = deepened(network)
    calls = [{"x": np.full(SHAPE, value, np.float32)} for value in (1.0, 1.0, 4.0)]
    values = scales(with_int8_convolutions(deep, calls, of_flow=of_flow))
    assert values["wide_scale"] == pytest.approx(top / 255)
    assert ("x_scale" in values) != of_flow, "the first convolution of flow stays as it is"


def deepened(network: onnx.ModelProto) -> onnx.ModelProto:
    """Return the network with a convolution before it that hands its input on."""
    deep = onnx.ModelProto()
    deep.CopyFrom(network)
    same = np.zeros((3, 3, 1, 1), np.float32)
    same[range(3), range(3)] = 1
    deep.graph.initializer.append(numpy_helper.from_array(same, "same"))
    deep.graph.node[1].input[0] = "wide"
    deep.graph.node.insert(1, helper.make_node("Conv", ["x", "same"], ["wide"], name="entry"))
    return deep


def scales(model: onnx.ModelProto) -> dict[str, NDArray[np.float32]]:
    """Return all constants that are scales, by name."""
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return {name: value for name, value in values.items() if name.endswith("_scale")}
