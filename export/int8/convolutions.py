"""A graph whose convolutions multiply bytes: their inputs, weights and outputs are rounded to eight bits, nothing else.

What is between them (gates, warps, sums) and what is carried from step to step stays fp32, so that errors do not pile
up. The head stays fp32 as well: rounding what becomes a pixel's colour would cost more than all the rest together.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from ptfan.engine.runners.ort.onnxruntime_module import import_onnxruntime
from ptfan.engine.runners.runner import Arrays
from ptfan.export.quiet import quiet

__all__ = ["head_convolutions", "with_int8_convolutions"]

ANSWERS = {"fill", "completed", "spread"}
"""Outputs that are no states: of the networks that fill holes, and of those that complete flow."""


def with_int8_convolutions(
    model: onnx.ModelProto, calls: Iterable[Arrays], *, of_flow: bool = False
) -> onnx.ModelProto:
    """Return a model whose convolutions multiply bytes, in the form (QDQ) that ONNX Runtime and OpenVINO fuse.

    Weights are symmetric, one scale an output channel, seven bits: with eight, sums of two products overflow on x86
    processors that lack VNNI. Inputs and outputs are unsigned, from the smallest to the largest value that came.

    Args:
        model: an fp32 graph of ptfan; it is left as it is.
        calls: what it is shown, by its inputs' names.
        of_flow: it completes flow, whose vectors' lengths lie far apart: the first convolution stays fp32 as well, and
            the ranges are those of a call in the mean of all, as the extremes of all would spend the steps on values
            that hardly ever come.
    """
    quantization = import_onnxruntime("onnxruntime.quantization")

    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    _read_weights(plain)
    kept = head_convolutions(plain)
    if of_flow:
        kept.append(next(node.name for node in plain.graph.node if node.op_type == "Conv"))
    with tempfile.TemporaryDirectory() as folder, quiet():  # it advises preparations that our graphs do not need
        source, result = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        onnx.save(plain, source)
        quantization.quantize_static(
            source,
            result,
            _Reader(calls),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=kept,
            per_channel=True,
            reduce_range=True,
            weight_type=quantization.QuantType.QInt8,
            activation_type=quantization.QuantType.QUInt8,
            extra_options={"CalibMovingAverage": of_flow},
        )
        return onnx.load(result)


def head_convolutions(model: onnx.ModelProto) -> list[str]:
    """Return the names of the convolutions from which an answer comes without another one between."""
    makers = {name: node for node in model.graph.node for name in node.output}
    heads: list[str] = []
    waiting, seen = [entry.name for entry in model.graph.output if entry.name in ANSWERS], set[str]()
    while waiting:
        node = makers.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if node.op_type == "Conv":
            heads.append(node.name)
        else:
            waiting.extend(node.input)
    return heads


def _read_weights(model: onnx.ModelProto) -> None:
    """Undo `store_weights`: replace weights that are stored as fp16 and cast by fp32 ones, in place."""
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    casts = [node for node in graph.node if node.op_type == "Cast" and node.input[0] in stored]
    for node in casts:
        values = numpy_helper.to_array(stored[node.input[0]]).astype(np.float32)
        stored[node.input[0]].CopyFrom(numpy_helper.from_array(values, node.output[0]))
        graph.node.remove(node)


class _Reader:
    """Hands the calls to the library one by one, as its `CalibrationDataReader` does."""

    def __init__(self, calls: Iterable[Arrays]) -> None:
        self._calls: Iterator[Arrays] = iter(calls)

    def get_next(self) -> Arrays | None:
        """Return the next call's inputs; None at the end."""
        return next(self._calls, None)
