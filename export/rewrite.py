"""Changes to an exported graph that leave its results alone: for speed, and to leave no traces of where it was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ptfan.export.dimensions import Dimensions

__all__ = ["name_dimensions", "shuffle_by_convolution", "split_convolutions", "strip"]


def split_convolutions(model: onnx.ModelProto) -> int:
    """Replace every convolution whose output is only split into channels by one convolution for each part.

    A gate and what it gates are one convolution in the network. As two, the gate's sigmoid becomes part of its
    convolution, nothing is copied apart, and ONNX Runtime stays in its blocked layout.

    Returns:
        The number of convolutions replaced.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    uses = Counter(name for node in graph.node for name in node.input)
    replaced: dict[int, list[onnx.NodeProto]] = {}
    for split in graph.node:
        convolution = producers.get(split.input[0]) if _splits_channels(split) else None
        if convolution is None or convolution.op_type != "Conv" or uses[split.input[0]] > 1:
            continue
        if all(name in weights and uses[name] == 1 for name in convolution.input[1:]):
            replaced[id(convolution)] = []
            replaced[id(split)] = list(_parts(graph, convolution, split, weights))
    nodes = [new for node in graph.node for new in replaced.get(id(node), [node])]
    _set_nodes(graph, nodes)
    return len(replaced) // 2


def shuffle_by_convolution(model: onnx.ModelProto) -> int:
    """Replace every pixel shuffle of a convolution's output by a transposed convolution of ones and zeros.

    The numbers are the same, and ONNX Runtime does it in a third of the time: its own shuffle takes one thread.

    Returns:
        The number of shuffles replaced.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    replaced = 0
    for node in graph.node:
        convolution = producers.get(node.input[0]) if node.op_type == "DepthToSpace" else None
        if convolution is None or convolution.op_type != "Conv" or convolution.input[1] not in weights:
            continue
        weight = weights[convolution.input[1]]
        attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        block = attributes["blocksize"]
        kernel = _shuffling_kernel(weight.dims[0], block, together=attributes.get("mode") == b"CRD")
        kernel = kernel.astype(helper.tensor_dtype_to_np_dtype(weight.data_type))
        name = f"{node.name}.kernel"
        graph.initializer.append(numpy_helper.from_array(kernel, name))
        node.CopyFrom(
            helper.make_node("ConvTranspose", [node.input[0], name], node.output, node.name, strides=[block, block])
        )
        replaced += 1
    return replaced


def _shuffling_kernel(channels: int, block: int, *, together: bool) -> NDArray[np.float32]:
    """Return the kernel (channels, channels / block^2, block, block) that sends each channel to one pixel of a block.

    Args:
        channels: before the shuffle.
        block: pixels of a block's side.
        together: the channels of one block stand together (`CRD`), or those of one place in the block (`DCR`).
    """
    outputs = channels // block**2
    kernel = np.zeros((outputs, block**2, outputs, block, block), np.float32)
    for output, place in np.ndindex(outputs, block**2):
        kernel[output, place, output, place // block, place % block] = 1
    if not together:
        kernel = kernel.swapaxes(0, 1)
    return np.ascontiguousarray(kernel.reshape(channels, outputs, block, block))


def _splits_channels(node: onnx.NodeProto) -> bool:
    return node.op_type == "Split" and any(item.name == "axis" and item.i == 1 for item in node.attribute)


def _parts(
    graph: onnx.GraphProto, convolution: onnx.NodeProto, split: onnx.NodeProto, weights: dict[str, onnx.TensorProto]
) -> Iterator[onnx.NodeProto]:
    """Make the convolutions for each output of a split, and their weights."""
    total = weights[convolution.input[1]].dims[0]
    sizes = _split_sizes(split, total, weights)
    start = 0
    for index, (output, size) in enumerate(zip(split.output, sizes, strict=True)):
        part = onnx.NodeProto()
        part.CopyFrom(convolution)
        part.name = f"{convolution.name}.{index}"
        part.output[0] = output
        for place, name in enumerate(convolution.input[1:], start=1):
            array = numpy_helper.to_array(weights[name])[start : start + size]
            part.input[place] = f"{name}.{index}"
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), part.input[place]))
        start += size
        yield part


def _split_sizes(split: onnx.NodeProto, total: int, weights: dict[str, onnx.TensorProto]) -> list[int]:
    if len(split.input) > 1 and split.input[1] in weights:
        return [int(size) for size in numpy_helper.to_array(weights[split.input[1]])]
    largest = -(-total // len(split.output))
    return [min(largest, total - start) for start in range(0, total, largest)]


def _set_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Replace a graph's nodes and drop the weights that none of them reads."""
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    read = {name for node in copies for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    if len(kept) < len(graph.initializer):
        copied = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in kept]
        del graph.initializer[:]
        graph.initializer.extend(copied)


def name_dimensions(model: onnx.ModelProto, dimensions: Dimensions, shapes: Mapping[str, Sequence[int | str]]) -> None:
    """Name the free dimensions, the same in every tensor: T or B, H and W, and H/2 and so on inside of the graph.

    Runtimes need the shapes inside: ONNX Runtime adds two tensors in its blocked layout only where it can tell from
    the names that they have one shape.

    Args:
        model: a graph whose first input is (T, C, H, W).
        dimensions: which of them are fixed.
        shapes: of every input and output, by name.
    """
    graph = model.graph
    _, _, *sides = (dim.dim_param for dim in graph.input[0].type.tensor_type.shape.dim)
    names: dict[str, str] = {graph.input[0].type.tensor_type.shape.dim[0].dim_param: dimensions.first}
    for side, name in zip(sides, ("H", "W"), strict=True):
        names.update(_fractions(side, name, dimensions.multiple))
    made = {output for node in graph.node for output in node.output}
    inside = [value for value in graph.value_info if value.name in made and _rename(value, names)]
    copies = [onnx.ValueInfoProto.FromString(value.SerializeToString()) for value in inside]
    del graph.value_info[:]
    graph.value_info.extend(copies)
    for value in (*graph.input, *graph.output):
        value.CopyFrom(helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, shapes[value.name]))


def _fractions(side: str, name: str, multiple: int) -> dict[str, str]:
    """Return the names of a side's parts, for an exporter that writes `8*s30` for the side and `4*s30` for its half."""
    symbol = side.removeprefix(f"{multiple}*")
    factors = [factor for factor in range(1, multiple + 1) if multiple % factor == 0]
    written = {factor: f"{factor}*{symbol}" if factor > 1 else symbol for factor in factors}
    return {written[factor]: name if factor == multiple else f"{name}/{multiple // factor}" for factor in factors}


def _rename(value: onnx.ValueInfoProto, names: dict[str, str]) -> bool:
    """Rename the dimensions of a tensor in place; False if there is one that no name is known for."""
    for dim in value.type.tensor_type.shape.dim:
        if dim.HasField("dim_param"):
            if dim.dim_param not in names:
                return False
            dim.dim_param = names[dim.dim_param]
    return True


def strip(model: onnx.ModelProto, producer: str, version: str) -> None:
    """Remove what the exporter wrote about itself and this machine: stack traces, paths, names of classes."""
    graph = model.graph
    for item in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        del item.metadata_props[:]
        item.doc_string = ""
    graph.name = producer
    model.producer_name, model.producer_version = producer, version
