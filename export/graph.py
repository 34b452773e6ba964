"""The clip graph and the step graph: a generator traced by torch's exporter, and made ready for runtimes."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import onnx
import torch
from onnxscript import opset18
from torch import nn

from ptfan.engine.spec import CLIP_CHANNELS, CLIP_INPUTS, STEP_INPUTS, Precision, StateSpec
from ptfan.engine.versions import ptfan_version
from ptfan.export.dimensions import Dimensions
from ptfan.export.flow_warp_op import OPSET, attach_flow_warp, symbolic_flow_warp
from ptfan.export.folding import folded
from ptfan.export.precision import TYPES, at_precision, example_inputs
from ptfan.export.quiet import quiet
from ptfan.export.rewrite import name_dimensions, shuffle_by_convolution, split_convolutions, strip
from ptfan.training.model import Generator
from ptfan.training.model.step import StepGenerator

__all__ = ["clip_graph", "step_graph", "trace"]

OUTPUT = "fill"


def clip_graph(generator: Generator, precision: Precision, dimensions: Dimensions) -> onnx.ModelProto:
    """Export a generator as the clip graph that `ModelSpec` describes, without the spec.

    Args:
        generator: with its weights; it is left as it is.
        precision: of the features and of every input but the flows.
        dimensions: which of T, H and W are fixed.
    """
    ready = at_precision(folded(generator), precision)
    inputs = example_inputs(dimensions, precision)
    with symbolic_flow_warp():
        model = trace(ready, inputs, dimensions.for_torch(), names=(CLIP_INPUTS, (OUTPUT,)))
    return _finished(model, dimensions, _frame_shapes(dimensions))


def step_graph(
    generator: Generator, precision: Precision, dimensions: Dimensions
) -> tuple[onnx.ModelProto, tuple[StateSpec, ...]]:
    """Export a generator as the step graph that `ModelSpec` describes, without the spec.

    Args:
        generator: with its weights; it is left as it is.
        precision: of the features and of every input but the flows and the liveness.
        dimensions: which of H and W are fixed, and the number of streams (as T).

    Returns:
        The graph, and what it hands on from step to step.
    """
    dimensions = replace(dimensions, first="B")
    step = StepGenerator(at_precision(folded(generator), precision))
    live = (dimensions.example()[0], step.lookahead + 2)
    read = [(name, item) for item in step.carried for name in item.inputs.values()]
    inputs = (*example_inputs(dimensions, precision), torch.zeros(live), *_example_past(read, dimensions))
    shapes = {
        **_frame_shapes(dimensions),
        "live": [*dimensions.for_onnx(0)[:1], live[1]],
        **{name: dimensions.for_onnx(item.channels, item.size) for name, item in read},
        **{item.name: dimensions.for_onnx(item.channels, item.size) for item in step.carried},
    }
    free = dimensions.for_torch([*(1 for _ in CLIP_INPUTS), None, *(item.size for _, item in read)])
    count = len(STEP_INPUTS)
    with symbolic_flow_warp():
        model = trace(
            step,
            inputs,
            None if free is None else [*free[:count], tuple(free[count:])],
            names=((*STEP_INPUTS, *(name for name, _ in read)), (OUTPUT, *(item.name for item in step.carried))),
        )
    return _finished(model, dimensions, shapes), step.carried


def _finished(
    model: onnx.ModelProto, dimensions: Dimensions, shapes: Mapping[str, Sequence[int | str]]
) -> onnx.ModelProto:
    split_convolutions(model)
    shuffle_by_convolution(model)
    strip(model, "ptfan", ptfan_version())
    name_dimensions(model, dimensions, shapes)
    attach_flow_warp(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def _frame_shapes(dimensions: Dimensions) -> dict[str, list[int | str]]:
    return {name: dimensions.for_onnx(channels) for name, channels in {**CLIP_CHANNELS, OUTPUT: 3}.items()}


def _example_past(read: Sequence[tuple[str, StateSpec]], dimensions: Dimensions) -> list[torch.Tensor]:
    return [torch.zeros(item.shape(*dimensions.example()), dtype=TYPES[item.precision]) for _, item in read]


def trace(
    network: nn.Module,
    inputs: tuple[torch.Tensor, ...],
    shapes: list[Any] | None,
    *,
    names: tuple[Sequence[str], Sequence[str]],
) -> onnx.ModelProto:
    """Trace a network with torch's exporter.

    Args:
        network: in evaluation mode.
        inputs: examples.
        shapes: the dynamic dimensions of each input, as torch takes them; None if all are fixed.
        names: of the graph's inputs and outputs.
    """
    with _quiet(), _without_fake_cache():
        # Two steps instead of one, so that the exporter does not look for a way round when the first fails.
        traced = torch.export.export(network, inputs, dynamic_shapes=shapes, strict=False)
        program = torch.onnx.export(
            traced,
            dynamo=True,
            opset_version=OPSET,
            input_names=names[0],
            output_names=names[1],
            custom_translation_table={torch.ops.aten.lerp.Tensor: _lerp},
            optimize=True,
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def _lerp(start: Any, end: Any, weight: Any) -> Any:
    """Return start + weight (end - start): three passes, where the exporter's own two-sided form takes nine."""
    return opset18.Add(start, opset18.Mul(weight, opset18.Sub(end, start)))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what the exporter says about optional packages and about names that we replace."""
    with quiet("torch.onnx"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _without_fake_cache() -> contextlib.AbstractContextManager[Any]:
    """Switch off a cache of torch that takes a third of the time where sizes are symbols, and saves none."""
    from torch._dynamo import config

    if not hasattr(config, "fake_tensor_cache_enabled"):
        return contextlib.nullcontext()
    return config.patch(fake_tensor_cache_enabled=False)  # type: ignore[no-any-return]
