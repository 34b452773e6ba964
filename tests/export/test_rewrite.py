"""Changes to graphs that leave results alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import parser

from ptfan.export.dimensions import Dimensions
from ptfan.export.rewrite import name_dimensions, shuffle_by_convolution, split_convolutions, strip

HEADER = '<ir_version: 8, opset_import: ["" : 18]>\n'
RANDOM = np.random.default_rng(0)


def with_weights(text: str, **weights: np.ndarray) -> onnx.ModelProto:
    model = parser.parse_model(HEADER + text)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in weights.items())
    onnx.checker.check_model(model, full_check=True)
    return model


def run(model: onnx.ModelProto, x: np.ndarray) -> list[Any]:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})


def weights(outputs: int) -> np.ndarray:
    return RANDOM.normal(size=(outputs, 3, 3, 3)).astype(np.float32)


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


X = RANDOM.normal(size=(2, 3, 8, 8)).astype(np.float32)
INTERFACE = "graph (float[N, 3, 8, 8] x) => (float[N, A, 8, 8] a, float[N, B, 8, 8] b)"


@pytest.mark.parametrize(
    ("split", "sizes"),
    [
        ("a, b = Split <axis = 1, num_outputs = 2> (y)", None),
        ("a, b = Split <axis = 1> (y, sizes)", [2, 5]),
    ],
)
def test_the_parts_of_a_convolution_are_convolutions(split: str, sizes: list[int] | None) -> None:
    more = {} if sizes is None else {"sizes": np.array(sizes, np.int64)}
    bias = RANDOM.normal(size=7).astype(np.float32)
    text = f"{INTERFACE} {{ y = Conv <pads = [1, 1, 1, 1]> (x, w, bias) {split} }}"
    model = with_weights(text, w=weights(7), bias=bias, **more)
    expected = run(model, X)
    assert split_convolutions(model) == 1
    onnx.checker.check_model(model, full_check=True)
    assert kinds(model) == ["Conv", "Conv"]
    assert len(model.graph.initializer) == 4  # nothing is left of the one convolution
    for result, value in zip(run(model, X), expected, strict=True):
        np.testing.assert_allclose(result, value, atol=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "graph (float[N, 3, 8, 8] x) => (float[N, A, 8, 8] a, float[N, B, 8, 8] b, float[N, 6, 8, 8] y)"
        " { y = Conv <pads = [1, 1, 1, 1]> (x, w) z = Identity (y) a, b = Split <axis = 1, num_outputs = 2> (y) }",
        "graph (float[N, 3, 8, 8] x) => (float[N, 6, A, 8] a, float[N, 6, B, 8] b)"
        " { y = Conv <pads = [1, 1, 1, 1]> (x, w) a, b = Split <axis = 2, num_outputs = 2> (y) }",
        "graph (float[N, 3, 8, 8] x) => (float[N, A, 8, 8] a, float[N, B, 8, 8] b)"
        " { z = Conv <pads = [1, 1, 1, 1]> (x, w) y = Relu (z) a, b = Split <axis = 1, num_outputs = 2> (y) }",
    ],
    ids=["read elsewhere", "other axis", "not at once"],
)
def test_other_convolutions_stay(text: str) -> None:
    model = with_weights(text, w=weights(6))
    before = model.SerializeToString()
    assert split_convolutions(model) == 0
    assert model.SerializeToString() == before


def test_a_weight_that_two_convolutions_share_stays() -> None:
    text = (
        "graph (float[N, 3, 8, 8] x) => (float[N, A, 8, 8] a, float[N, B, 8, 8] b, float[N, 6, 8, 8] z)"
        " { y = Conv <pads = [1, 1, 1, 1]> (x, w) z = Conv <pads = [1, 1, 1, 1]> (x, w)"
        " a, b = Split <axis = 1, num_outputs = 2> (y) }"
    )
    model = with_weights(text, w=weights(6))
    assert split_convolutions(model) == 0


@pytest.mark.parametrize("mode", ["CRD", "DCR"])
@pytest.mark.parametrize(("channels", "block"), [(4, 2), (16, 2), (18, 3)])
def test_a_shuffle_by_convolution_is_the_shuffle(mode: str, channels: int, block: int) -> None:
    text = (
        "graph (float[N, 3, 8, 8] x) => (float[N, C, H, W] y) { z = Conv <pads = [1, 1, 1, 1]> (x, w)"
        f' y = DepthToSpace <blocksize = {block}, mode = "{mode}"> (z) }}'
    )
    model = with_weights(text, w=weights(channels))
    (expected,) = run(model, X)
    assert shuffle_by_convolution(model) == 1
    onnx.checker.check_model(model, full_check=True)
    assert kinds(model) == ["Conv", "ConvTranspose"]
    np.testing.assert_array_equal(run(model, X)[0], expected)


def test_other_shuffles_stay() -> None:
    model = with_weights(
        "graph (float[N, 4, 8, 8] x) => (float[N, 1, 16, 16] y) { y = DepthToSpace <blocksize=2> (x) }"
    )
    assert shuffle_by_convolution(model) == 0
    assert kinds(model) == ["DepthToSpace"]


def test_dimensions_get_names() -> None:
    text = (
        'graph (float["s1", 3, "8*s2", "8*s3"] frames) => (float["s1", 3, "8*s2", "8*s3"] fill)'
        ' <float["s1", 3, "4*s2", "s3"] small, float["s1", 3, "s2 + 1", "s3"] odd, float["s1"] gone>'
        " { small = Identity (frames) odd = Identity (small) fill = Identity (frames) }"
    )
    model = parser.parse_model(HEADER + text)
    frame: list[int | str] = ["T", 3, "H", "W"]
    name_dimensions(model, Dimensions(), {"frames": frame, "fill": frame})
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output, *model.graph.value_info)
    }
    assert shapes == {"frames": ["T", 3, "H", "W"], "fill": ["T", 3, "H", "W"], "small": ["T", 3, "H/2", "W/8"]}


def test_nothing_is_left_of_where_a_graph_was_made() -> None:
    model = with_weights("graph (float[N] x) => (float[N] y) { y = Identity (x) }")
    model.producer_name, model.doc_string = "somebody", "text"
    model.metadata_props.add(key="where", value="/home/somebody")
    model.graph.node[0].metadata_props.add(key="stack", value="/home/somebody")
    model.graph.input[0].metadata_props.add(key="stack", value="/home/somebody")
    strip(model, "ptfan", "1.2")
    assert (model.producer_name, model.producer_version) == ("ptfan", "1.2")
    assert b"somebody" not in model.SerializeToString()
