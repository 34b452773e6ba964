"""Number formats of features and weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper

from ptfan.engine.spec import CLIP_INPUTS
from ptfan.export.compare import compare_arrays
from ptfan.export.dimensions import Dimensions
from ptfan.export.precision import example_inputs, store_weights
from tests.export.graph_runs import run_graph


def test_flows_stay_fp32() -> None:
    inputs = dict(zip(CLIP_INPUTS, example_inputs(Dimensions(2, (16, 8)), "fp16"), strict=True))
    assert {name: tensor.dtype for name, tensor in inputs.items() if name.startswith("flow")} == {
        "flow_forward": torch.float32,
        "flow_backward": torch.float32,
    }
    assert {tensor.dtype for name, tensor in inputs.items() if not name.startswith("flow")} == {torch.float16}
    assert inputs["frames"].shape == (2, 3, 8, 16)


def test_stored_weights_are_as_they_are_by_default(tiny_graph: onnx.ModelProto) -> None:
    before = tiny_graph.SerializeToString()
    store_weights(tiny_graph, "same")
    assert tiny_graph.SerializeToString() == before


def test_weights_stored_as_fp16(tiny_graph: onnx.ModelProto, make_clip: Callable) -> None:
    small = onnx.ModelProto()
    small.CopyFrom(tiny_graph)
    store_weights(small, "fp16")
    onnx.checker.check_model(small, full_check=True)
    sizes = [sum(len(tensor.raw_data) for tensor in model.graph.initializer) for model in (small, tiny_graph)]
    assert sizes[0] < 0.6 * sizes[1]
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in small.graph.initializer}
    for tensor in tiny_graph.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if tensor.data_type == TensorProto.FLOAT and array.size >= 64:
            np.testing.assert_array_equal(stored[f"{tensor.name}.fp16"], array.astype(np.float16))
        else:
            np.testing.assert_array_equal(stored[tensor.name], array)
    inputs = make_clip(9, 48, 64)
    comparison = compare_arrays(run_graph(tiny_graph, inputs), run_graph(small, inputs))
    assert comparison.psnr > 45
    assert comparison.worst > 0  # it is not the same file
