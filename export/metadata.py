"""The model's spec: made from a checkpoint, and written into the file."""

from __future__ import annotations

from typing import Any

import onnx

from ptfan.engine.spec import METADATA_KEY, ModelSpec, StateSpec
from ptfan.export.settings import ExportSettings
from ptfan.training.model import Generator
from ptfan.training.spec import generator_spec, step_spec

__all__ = ["model_spec", "write_spec"]


def model_spec(
    generator: Generator,
    settings: ExportSettings,
    *,
    carried: tuple[StateSpec, ...] = (),
    weights_sha256: str = "",
) -> ModelSpec:
    """Describe the graph of a generator.

    Args:
        generator: what is exported.
        settings: what is made of it.
        carried: what a step graph hands on.
        weights_sha256: the checkpoint's hash.

    Raises:
        ModelError: the stride does not fit the window.
    """
    dimensions = settings.dimensions
    common: dict[str, Any] = {
        "precision": settings.precision,
        "size": dimensions.size,
        "name": settings.name,
        "stride": settings.stride,
        "weights_sha256": weights_sha256,
    }
    if settings.form == "step":
        return step_spec(generator, carried, streams=dimensions.frames, **common)
    return generator_spec(generator, window=dimensions.frames, **common)


def write_spec(model: onnx.ModelProto, spec: ModelSpec) -> None:
    """Store a spec in a model; an older one is replaced."""
    kept = [entry for entry in model.metadata_props if entry.key != METADATA_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    model.metadata_props.add(key=METADATA_KEY, value=spec.to_json())
