"""The flow completion network as an ONNX graph, compared with torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch.export import Dim

from ptfan.engine.atomic import check_target, write_atomically
from ptfan.engine.flow_completion import MULTIPLE
from ptfan.engine.models import file_sha256
from ptfan.engine.spec import ModelSpec
from ptfan.engine.versions import ptfan_version
from ptfan.export.compare import Comparison, compare_arrays, run_outputs
from ptfan.export.exported import Exported
from ptfan.export.graph import trace
from ptfan.export.metadata import write_spec
from ptfan.export.precision import store_weights
from ptfan.export.rewrite import strip
from ptfan.export.settings import WeightStorage
from ptfan.training.checkpoint import load_completer
from ptfan.training.model.flow_completer import FlowCompleter
from ptfan.training.spec import WINDOWS

__all__ = ["export_completer", "flow_graph"]

INPUTS, OUTPUTS = ("flow", "known"), ("completed", "spread")
EXAMPLE = (3, 8, 12)
"""T, h and w to trace with."""
COMPARED = (6, 32, 40)
"""T, h and w to compare on."""


def flow_graph(completer: FlowCompleter) -> onnx.ModelProto:
    """Export a flow completion network with any T, h and w, h and w multiples of 4; without the spec."""
    window, height, width = EXAMPLE
    inputs = torch.zeros(window, 4, height, width), torch.ones(window, 1, height, width)
    free: dict[int, Any] = {0: Dim("frames", min=1, max=1 << 13)}
    free[2], free[3] = (MULTIPLE * Dim(name, min=1, max=1 << 13) for name in ("rows", "columns"))
    model = trace(completer, inputs, [dict(free), dict(free)], names=(INPUTS, OUTPUTS))
    strip(model, "ptfan", ptfan_version())
    _name_dimensions(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def export_completer(
    checkpoint: Path, output: Path, *, weights: WeightStorage = "same", overwrite: bool = False
) -> Exported:
    """Export the checkpoint of a flow completion network; the file appears once it has been compared with torch.

    Args:
        checkpoint: what training wrote (.safetensors).
        output: the ONNX file.
        weights: how the weights are stored in the file.
        overwrite: replace an output that exists.

    Raises:
        InputNotFoundError: the checkpoint is not there.
        ModelError: it is none of such a network.
        OutputError: the output exists, or cannot be written.
        ToleranceError: ONNX Runtime and torch differ too much; nothing is written.
    """
    check_target(output, overwrite=overwrite)
    completer = load_completer(checkpoint)
    model = flow_graph(completer)
    store_weights(model, weights)
    spec = _spec(completer, file_sha256(checkpoint))
    write_spec(model, spec)
    comparison = _compare(completer, model)
    comparison.check(exact=weights == "same")
    content = model.SerializeToString()
    write_atomically(output, content, overwrite=overwrite)
    return Exported(spec, comparison, COMPARED, len(content))


def _spec(completer: FlowCompleter, weights_sha256: str) -> ModelSpec:
    window, stride = WINDOWS["pixel"]  # like the models that it serves
    return ModelSpec(
        name="flow",
        form="flow",
        window=window,
        stride=stride,
        lookahead=completer.temporal_layers,
        size_multiple=MULTIPLE,
        parameters=sum(parameter.numel() for parameter in completer.parameters()),
        weights_sha256=weights_sha256,
    )


def _compare(completer: FlowCompleter, model: onnx.ModelProto) -> Comparison:
    """Compare on smooth random flow, two pixels long, with a hole in the middle.

    Flow has both signs: it is compared as pictures are, with the range from its negative to its positive peak as 1.
    """
    flow, known = _random_flow()
    with torch.inference_mode():
        reference = torch.cat(completer(flow, known), dim=1).numpy()
    feed = {"flow": flow.numpy(), "known": known.numpy()}
    result = np.concatenate(run_outputs(model, feed, OUTPUTS), axis=1)
    peak = float(np.abs(reference).max())
    return compare_arrays(*((array / (2 * peak) + 0.5).astype(np.float32) for array in (reference, result)))


def _random_flow() -> tuple[torch.Tensor, torch.Tensor]:
    frames, height, width = COMPARED
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(frames, 4, height // 8, width // 8, generator=generator)
    flow = torch.nn.functional.interpolate(2 * coarse, (height, width), mode="bilinear")
    known = torch.ones(frames, 1, height, width)
    known[..., height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = 0
    return flow, known


def _name_dimensions(model: onnx.ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.output):
        for index, name in ((0, "T"), (2, "H"), (3, "W")):
            value.type.tensor_type.shape.dim[index].dim_param = name
