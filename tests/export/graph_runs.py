"""Graphs that are run as they come from the exporter, with a spec or without."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ptfan.engine.spec import METADATA_KEY, ModelSpec
from ptfan.export.compare import Comparison, compare, loaded, run_clip
from ptfan.export.metadata import write_spec
from ptfan.training.model import Generator

__all__ = ["compare_graph", "run_graph"]

PLAIN = ModelSpec(name="graph", window=1, stride=1, lookahead=0)
"""Of a clip graph that has none."""


def run_graph(model: onnx.ModelProto, inputs: Any) -> NDArray[np.float32]:
    """Return the fill (T, 3, H, W) of a clip."""
    with loaded(_content(model)) as runner:
        return run_clip(runner, inputs)


def compare_graph(generator: Generator, model: onnx.ModelProto, inputs: Any) -> Comparison:
    """Compare a graph with the network that it was made from."""
    with loaded(_content(model)) as runner:
        return compare(generator, runner, inputs)


def _content(model: onnx.ModelProto) -> bytes:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if not any(entry.key == METADATA_KEY for entry in copy.metadata_props):
        write_spec(copy, PLAIN)
    return copy.SerializeToString()
