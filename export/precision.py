"""Number formats: of the features, and of the weights in the file."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from ptfan.engine.spec import CLIP_CHANNELS, Precision
from ptfan.export.dimensions import Dimensions
from ptfan.export.settings import WeightStorage
from ptfan.training.model import Generator

__all__ = ["TYPES", "at_precision", "example_inputs", "store_weights"]

TYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "fp16": torch.float16}
"""The types of the precisions, in torch."""

SMALLEST = 64
"""Tensors of fewer values (biases, shifts) are not worth the rounding."""


def at_precision(generator: Generator, precision: Precision) -> Generator:
    """Convert a generator's weights in place; the warp keeps its own fp32 part whatever they are."""
    return generator.to(TYPES[precision])


def example_inputs(dimensions: Dimensions, precision: Precision) -> tuple[Tensor, ...]:
    """Return inputs to trace with: zeros, features' type for all but the flows, which are fp32."""
    frames, height, width = dimensions.example()
    return tuple(
        torch.zeros(frames, channels, height, width, dtype=TYPES["fp32" if name.startswith("flow") else precision])
        for name, channels in CLIP_CHANNELS.items()
    )


def store_weights(model: onnx.ModelProto, storage: WeightStorage) -> None:
    """Store the fp32 weights of a graph as fp16, each with a Cast behind it that loaders fold away."""
    if storage == "same":
        return
    graph = model.graph
    large = [tensor for tensor in graph.initializer if _is_large(tensor)]
    casts = []
    for tensor in large:
        name = tensor.name
        half = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.fp16"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], name=f"{name}.to_fp32", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _is_large(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= SMALLEST)
