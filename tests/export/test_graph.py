"""Whole graphs: the presets in ONNX Runtime against torch, at other sizes and lengths than they were traced at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from ptfan.engine.spec import CLIP_CHANNELS, CLIP_INPUTS, FLOW_WARP, FLOW_WARP_DOMAIN
from ptfan.export.compare import compare_arrays, run_torch
from ptfan.export.dimensions import Dimensions
from ptfan.export.flow_warp_op import OPSET
from ptfan.export.graph import clip_graph, step_graph
from ptfan.export.metadata import write_spec
from ptfan.training.model import Generator, GeneratorConfig, align
from ptfan.training.spec import step_spec
from tests.export.graph_runs import compare_graph, run_graph

WARPS = {"s": 2 * (9 + 3), "r50": 2 * (16 + 5)}
"""One a direction and temporal layer: of the encoder, and of the decoder."""


def warps(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if node.op_type == FLOW_WARP]


def attributes(node: onnx.NodeProto) -> dict[str, object]:
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


@pytest.mark.parametrize(
    ("frames", "height", "width"),
    [(1, 16, 8), (2, 48, 64), (5, 40, 24)],
)
@pytest.mark.parametrize("name", ["s", "r50"])
def test_one_file_takes_clips_of_any_length_and_size(
    name: str,
    frames: int,
    height: int,
    width: int,
    graph: Callable[[str], onnx.ModelProto],
    generators: dict[str, Generator],
    make_clip: Callable,
) -> None:
    comparison = compare_graph(generators[name], graph(f"{name}_graph"), make_clip(frames, height, width))
    comparison.check(exact=True)
    assert comparison.worst < 1e-5


@pytest.mark.parametrize("name", ["s", "r50"])
def test_interface(name: str, graph: Callable[[str], onnx.ModelProto]) -> None:
    model = graph(f"{name}_graph")
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET), (FLOW_WARP_DOMAIN, 1)]
    assert [value.name for value in model.graph.input] == list(CLIP_INPUTS)
    assert [value.name for value in model.graph.output] == ["fill"]
    for value in (*model.graph.input, *model.graph.output):
        kind = value.type.tensor_type
        assert kind.elem_type == onnx.TensorProto.FLOAT
        dims = [dim.dim_param or dim.dim_value for dim in kind.shape.dim]
        assert dims == ["T", CLIP_CHANNELS.get(value.name, 3), "H", "W"]
    onnx.checker.check_model(model, full_check=True)


@pytest.mark.parametrize("name", ["s", "r50"])
def test_warps(name: str, graph: Callable[[str], onnx.ModelProto], generators: dict[str, Generator]) -> None:
    model, convention = graph(f"{name}_graph"), generators[name].config.convention
    nodes = warps(model)
    assert len(nodes) == WARPS[name]
    assert [(function.domain, function.name) for function in model.functions] == [(FLOW_WARP_DOMAIN, FLOW_WARP)]
    required: Counter[object] = Counter()
    for node in nodes:
        found = attributes(node)
        assert node.domain == FLOW_WARP_DOMAIN
        assert found["plugin_namespace"] == FLOW_WARP_DOMAIN.encode()
        assert found["convention"] == convention.encode()
        assert list(model.functions[0].attribute) == ["convention", "require_nonzero", "plugin_namespace"]
        assert len(node.output) == (2 if convention == "tsam" else 1)
        required[found["require_nonzero"]] += 1
    # Under the published convention every forward warp is tested for zeros, no backward warp is.
    assert required == ({0: WARPS[name] // 2, 1: WARPS[name] // 2} if convention == "tsam" else {0: WARPS[name]})


@pytest.mark.parametrize("name", ["s", "r50"])
def test_nothing_is_done_twice_or_in_vain(
    name: str, graph: Callable[[str], onnx.ModelProto], generators: dict[str, Generator]
) -> None:
    model = graph(f"{name}_graph")
    kinds = Counter(node.op_type for node in model.graph.node)
    layers = WARPS[name] // 2
    assert kinds["Transpose"] == kinds["Identity"] == kinds["Where"] == 0
    assert kinds["Cast"] <= 4  # truth values about the clip's ends, once each
    assert kinds["BatchNormalization"] == generators[name].config.encoder_layers  # those after a gate
    assert kinds["DepthToSpace"] == 0
    assert kinds["Split"] == 0  # a gate and what it gates are convolutions of their own
    assert kinds["Concat"] == layers + 1
    assert kinds["Gather"] == 2 * layers + (layers if name == "r50" else 0)
    names = [tensor.name for tensor in model.graph.initializer]
    assert len(names) == len(set(names))
    read = {name for node in model.graph.node for name in node.input}
    assert set(names) <= read


@pytest.mark.parametrize("name", ["s", "r50"])
def test_nothing_tells_where_it_was_made(name: str, graph: Callable[[str], onnx.ModelProto], root: Path) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(graph(f"{name}_graph"))
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")  # numbers may look like anything
    content = model.SerializeToString()
    for trace in (str(root), str(Path.home()), "site-packages", "stack_trace", "ptfan.training", "generator.py"):
        assert trace.encode() not in content


def test_shapes_inside_are_named_too(s_graph: onnx.ModelProto) -> None:
    """Without them ONNX Runtime leaves its blocked layout at every sum of two tensors."""
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in s_graph.graph.value_info
    }
    sums = [node for node in s_graph.graph.node if node.op_type in ("Add", "Mul", "Conv", FLOW_WARP)]
    known = [shapes[output] for node in sums for output in node.output if output in shapes]
    assert len(known) >= len(sums) - 1  # the graph's own output is not listed
    assert {dim for shape in known for dim in shape if isinstance(dim, str)} <= {
        "T",
        *(f"{side}{part}" for side in "HW" for part in ("", "/2", "/4", "/8")),
    }


def test_fp16_at_real_size(s_real_fp16: onnx.ModelProto, generators: dict[str, Generator], make_clip: Callable) -> None:
    for value in s_real_fp16.graph.input:
        kind = value.type.tensor_type
        flow = value.name.startswith("flow")
        assert kind.elem_type == (onnx.TensorProto.FLOAT if flow else onnx.TensorProto.FLOAT16)
        dims = [dim.dim_param or dim.dim_value for dim in kind.shape.dim]
        assert dims == ["T", CLIP_CHANNELS[value.name], 240, 432]
    compare_graph(generators["s"], s_real_fp16, make_clip(2, 240, 432)).check(exact=False)


def test_fp16_of_the_papers_design(tiny: Callable, make_generator: Callable, make_clip: Callable) -> None:
    generator, inputs = make_generator(tiny("paper")), make_clip(4, 32, 40)
    before, warp = run_torch(generator, inputs), align.flow_warp
    model = clip_graph(generator, "fp16", Dimensions(4, (40, 32)))
    weights = [tensor for tensor in model.graph.initializer if len(tensor.dims) == 4]
    assert {tensor.data_type for tensor in weights} == {onnx.TensorProto.FLOAT16}
    compare_arrays(before, run_graph(model, inputs)).check(exact=False)
    # The network and torch are left as they were.
    assert align.flow_warp is warp
    assert torch._dynamo.config.fake_tensor_cache_enabled
    np.testing.assert_array_equal(run_torch(generator, inputs), before)


def test_a_network_that_only_shifts_has_no_warps(tiny: Callable, make_generator: Callable, make_clip: Callable) -> None:
    generator = make_generator(tiny("light", alignment="shift"))
    model = clip_graph(generator, "fp32", Dimensions(3, (24, 16)))
    assert not warps(model)
    assert not model.functions
    compare_graph(generator, model, make_clip(3, 16, 24)).check(exact=True)


def test_what_is_fixed_takes_nothing_else(tiny_graph: onnx.ModelProto, make_clip: Callable) -> None:
    assert [dim.dim_value for dim in tiny_graph.graph.input[0].type.tensor_type.shape.dim] == [9, 3, 48, 64]
    for shape in ((8, 48, 64), (9, 40, 64), (9, 48, 72)):
        with pytest.raises(Exception, match="Got invalid dimensions"):
            run_graph(tiny_graph, make_clip(*shape))


def test_the_entries_beyond_a_clips_ends_are_not_looked_at(tiny_graph: onnx.ModelProto, make_clip: Callable) -> None:
    inputs = make_clip(9, 48, 64)
    expected = run_graph(tiny_graph, inputs)
    poisoned = {name: array.copy() for name, array in inputs.items()}
    for name, end in (("forward", -1), ("backward", 0)):
        poisoned[f"flow_{name}"][end] = np.nan
        poisoned[f"validity_{name}"][end] = 1
    np.testing.assert_array_equal(run_graph(tiny_graph, poisoned), expected)


def test_frames_are_independent_of_what_no_layer_reaches(
    tiny_graph: onnx.ModelProto, tiny_generator: Generator, make_clip: Callable
) -> None:
    """The clip form's reach is one frame a temporal layer; a change further away than that changes nothing."""
    inputs = make_clip(9, 48, 64)
    assert tiny_generator.config.temporal_layers == 6
    changed = {name: array.copy() for name, array in inputs.items()}
    changed["frames"][-1] = 1 - changed["frames"][-1]
    before, after = run_graph(tiny_graph, inputs), run_graph(tiny_graph, changed)
    np.testing.assert_array_equal(before[:2], after[:2])
    assert not np.array_equal(before[-2], after[-2])


@pytest.mark.parametrize(
    ("decoder", "lookahead", "dimensions"),
    [("light", None, Dimensions()), ("paper", 3, Dimensions(1, (40, 24))), ("light", 0, Dimensions(1, (40, 24)))],
)
def test_a_step_graph_gives_what_the_network_gives_for_the_clip(
    decoder: str,
    lookahead: int | None,
    dimensions: Dimensions,
    tiny: Callable[..., GeneratorConfig],
    make_generator: Any,
    make_clip: Any,
) -> None:
    generator = make_generator(tiny(decoder, lookahead=lookahead, convention="tsam" if decoder == "paper" else "pixel"))
    model, carried = step_graph(generator, "fp32", dimensions)
    write_spec(model, step_spec(generator, carried, streams=dimensions.frames, size=dimensions.size))
    compare_graph(generator, model, make_clip(7, 24, 40)).check(exact=True)
    if dimensions.size is None:
        compare_graph(generator, model, make_clip(2, 16, 16)).check(exact=True)
        named = {dim.dim_param for value in model.graph.value_info for dim in value.type.tensor_type.shape.dim}
        assert "T" not in named
        for value in (*model.graph.input, *model.graph.output):
            assert value.type.tensor_type.shape.dim[0].dim_param == "B"


def test_a_step_graph_in_fp16_for_three_streams_of_one_size(
    tiny: Callable[..., GeneratorConfig], make_generator: Any, make_clip: Any
) -> None:
    generator = make_generator(tiny("light"))
    model, carried = step_graph(generator, "fp16", Dimensions(3, (40, 24)))
    write_spec(model, step_spec(generator, carried, precision="fp16", streams=3, size=(40, 24)))
    shapes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in model.graph.input}
    assert shapes["frames"] == [3, 3, 24, 40]
    assert shapes["live"] == [3, generator.config.temporal_layers + 2]
    assert {item.precision for item in carried if item.name.startswith(("forward", "backward"))} == {"fp32"}
    assert {item.precision for item in carried if item.name.startswith("own")} == {"fp16"}
    compare_graph(generator, model, make_clip(6, 24, 40)).check(exact=False)
