"""The helper networks as ONNX graphs, compared with torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.export import Dim

from ptfan.engine.atomic import check_target, write_atomically
from ptfan.engine.models import file_sha256
from ptfan.engine.spec import ModelSpec
from ptfan.engine.versions import ptfan_version
from ptfan.export.compare import Comparison, compare_arrays, loaded
from ptfan.export.exported import Exported
from ptfan.export.graph import trace
from ptfan.export.metadata import write_spec
from ptfan.export.precision import store_weights
from ptfan.export.rewrite import strip
from ptfan.export.settings import WeightStorage
from ptfan.training.checkpoint import load_helper
from ptfan.training.model.colour_completer import ColourCompleter
from ptfan.training.model.flow_completer import FlowCompleter
from ptfan.training.model.helpers import KINDS, Helper
from ptfan.training.model.text_network import TextNetwork
from ptfan.training.spec import WINDOWS

__all__ = ["export_helper", "helper_graph"]

FRAMES = 3
"""T to trace with."""
COMPARED = (6, 32, 48)
"""T, h and w to compare on."""


def helper_graph(helper: Helper) -> onnx.ModelProto:
    """Export such a network with any T, h and w, h and w multiples of its own; without the spec."""
    kind, multiple = KINDS[type(helper)], helper.multiple
    inputs = [torch.zeros(FRAMES, channels, 2 * multiple, 3 * multiple) for channels in kind.inputs.values()]
    free: dict[int, Any] = {0: Dim("frames", min=1, max=1 << 13)}
    free[2], free[3] = (multiple * Dim(name, min=1, max=1 << 13) for name in ("rows", "columns"))
    names = tuple(kind.inputs), kind.outputs
    model = trace(helper, tuple(inputs), [dict(free) for _ in inputs], names=names)
    strip(model, "ptfan", ptfan_version())
    _name_dimensions(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def export_helper(
    checkpoint: Path, output: Path, *, weights: WeightStorage = "same", overwrite: bool = False
) -> Exported:
    """Export the checkpoint of such a network; the file appears once it has been compared with torch.

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
    helper = load_helper(checkpoint)
    model = helper_graph(helper)
    store_weights(model, weights)
    spec = _spec(helper, file_sha256(checkpoint))
    write_spec(model, spec)
    content = model.SerializeToString()
    comparison = _compare(helper, content)
    comparison.check(exact=weights == "same")
    write_atomically(output, content, overwrite=overwrite)
    return Exported(spec, comparison, COMPARED, len(content))


def _spec(helper: Helper, weights_sha256: str) -> ModelSpec:
    window, stride = WINDOWS["pixel"]  # like the models that it serves
    form = KINDS[type(helper)].form
    return ModelSpec(
        name=form,
        form=form,
        window=window,
        stride=stride,
        lookahead=helper.temporal_layers,
        size_multiple=helper.multiple,
        parameters=sum(parameter.numel() for parameter in helper.parameters()),
        weights_sha256=weights_sha256,
    )


def _compare(helper: Helper, content: bytes) -> Comparison:
    """Compare on smooth random values with a hole in the middle.

    They may have both signs: they are compared as pictures are, with the range from the negative to the positive peak
    as 1.
    """
    kind = KINDS[type(helper)]
    given = _EXAMPLES[kind.network]()
    with torch.inference_mode():
        reference = _joined([part.numpy() for part in _parts(helper(*given))])
    feed = {name: value.numpy() for name, value in zip(kind.inputs, given, strict=True)}
    with loaded(content) as runner:
        answers = runner.run(feed)
    result = _joined([answers[name] for name in kind.outputs])
    peak = float(np.abs(reference).max())
    return compare_arrays(*((array / (2 * peak) + 0.5).astype(np.float32) for array in (reference, result)))


def _parts(answer: Any) -> Sequence[Tensor]:
    return (answer,) if isinstance(answer, Tensor) else tuple(answer)


def _joined(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate(arrays, axis=1)


def _random_flow() -> tuple[Tensor, Tensor]:
    """Return flow, two pixels long, and what is known of it."""
    return 2 * _smooth_noise(4), 1 - _middle()


def _random_pictures() -> tuple[Tensor, Tensor, Tensor]:
    """Return pictures, how far they are known, and their hole."""
    return (0.5 + 0.2 * _smooth_noise(3)).clamp(0, 1), 1 - 0.7 * _middle(), _middle()


def _random_frames() -> tuple[Tensor, Tensor]:
    """Return pictures and those before."""
    frames = (0.5 + 0.2 * _smooth_noise(6)).clamp(0, 1)
    return frames[:, :3], frames[:, 3:]


def _smooth_noise(channels: int) -> Tensor:
    frames, height, width = COMPARED
    coarse = torch.randn(frames, channels, height // 8, width // 8, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")


def _middle() -> Tensor:
    """Return planes with 1 in their middle."""
    frames, height, width = COMPARED
    hole = torch.zeros(frames, 1, height, width)
    hole[..., height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = 1
    return hole


def _name_dimensions(model: onnx.ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.output):
        for index, name in ((0, "T"), (2, "H"), (3, "W")):
            value.type.tensor_type.shape.dim[index].dim_param = name


_EXAMPLES: dict[type[Helper], Callable[[], tuple[Tensor, ...]]] = {
    FlowCompleter: _random_flow,
    ColourCompleter: _random_pictures,
    TextNetwork: _random_frames,
}
"""What makes inputs of the size `COMPARED`."""
