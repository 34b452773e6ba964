"""What an export has written."""

from __future__ import annotations

from dataclasses import dataclass

from ptfan.engine.spec import ModelSpec
from ptfan.export.compare import Comparison

__all__ = ["Exported"]


@dataclass(frozen=True)
class Exported:
    """What was written."""

    spec: ModelSpec
    """What the model says of itself."""
    comparison: Comparison
    """How far ONNX Runtime is from torch."""
    shape: tuple[int, int, int]
    """T, H and W that were compared."""
    size: int
    """Of the file, bytes."""
