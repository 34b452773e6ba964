"""The model's spec: made from a checkpoint, written into the file, read from it."""

from __future__ import annotations

import onnx

from ptfan.engine.errors import ModelError
from ptfan.engine.spec import METADATA_KEY, ModelSpec, Precision
from ptfan.export.dimensions import Dimensions
from ptfan.training.model import Generator
from ptfan.training.spec import generator_spec

__all__ = ["model_spec", "read_spec", "write_spec"]


def model_spec(
    generator: Generator,
    precision: Precision,
    dimensions: Dimensions,
    *,
    name: str | None = None,
    stride: int | None = None,
    weights_sha256: str = "",
) -> ModelSpec:
    """Describe the clip graph of a generator.

    Args:
        generator: what is exported.
        precision: of the graph.
        dimensions: which of T, H and W are fixed.
        name: the model's name; the config's own by default.
        stride: frames kept of a window; the usual share of it by default, see `ptfan.training.spec`.
        weights_sha256: the checkpoint's hash.

    Raises:
        ModelError: the stride does not fit the window.
    """
    return generator_spec(
        generator,
        precision=precision,
        window=dimensions.window,
        size=dimensions.size,
        name=name,
        stride=stride,
        weights_sha256=weights_sha256,
    )


def write_spec(model: onnx.ModelProto, spec: ModelSpec) -> None:
    """Store a spec in a model; an older one is replaced."""
    kept = [entry for entry in model.metadata_props if entry.key != METADATA_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    model.metadata_props.add(key=METADATA_KEY, value=spec.to_json())


def read_spec(model: onnx.ModelProto) -> ModelSpec:
    """Read the spec that `write_spec` stored.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            return ModelSpec.from_json(entry.value)
    raise ModelError(f"the ONNX model has no {METADATA_KEY} in its metadata; export it with `ptfan export`")
