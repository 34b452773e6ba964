"""ONNX Runtime as it is loaded here: without reporting to anybody."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

__all__ = ["SILENCE_VARIABLE", "import_onnxruntime"]

SILENCE_VARIABLE = "ORT_DISABLE_TELEMETRY"
"""From 1.29 on ONNX Runtime tells its makers of models that are run, by name and hash, and keeps an identifier of the
machine, unless this is 1 when it is loaded."""


def import_onnxruntime(name: str = "onnxruntime") -> Any:
    """Return ONNX Runtime, or a module of it. Who wants it to report sets its variable to 0.

    Raises:
        ImportError: it is not installed, or cannot be loaded.
    """
    os.environ.setdefault(SILENCE_VARIABLE, "1")
    return import_module(name)
