"""OpenVINO as it is loaded here: without reporting to anybody that it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

__all__ = ["import_openvino", "openvino_problem"]

TELEMETRY = "openvino_telemetry"
"""The package by which OpenVINO tells its makers of every import, unless the user has forbidden it. It does without."""
OLDEST = (2025, 4)
"""The first release that writes each step's outputs where it is told: 2025.1 gives wrong answers."""


def import_openvino(name: str = "openvino") -> Any:
    """Return OpenVINO, or a module of it.

    Raises:
        ImportError: it is not installed, or cannot be loaded.
    """
    with _hidden(TELEMETRY):
        return import_module(name)


def openvino_problem(*, bf16: bool) -> str | None:
    """Return why OpenVINO cannot be used here, and what to do; None if it can.

    Args:
        bf16: whether it is to compute in bf16.
    """
    openvino = import_openvino()
    version = tuple(int(part) for part in openvino.__version__.split(".")[:2])
    if version < OLDEST:
        found, wanted = (".".join(map(str, pair)) for pair in (version, OLDEST))
        return f"OpenVINO {found} mixes up a stream's states, expected {wanted} or later: pip install -U openvino"
    if bf16 and "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "this CPU has no instructions for bf16; take openvino"
    return None


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let a module be as if it were not installed; one that somebody has loaded already stays."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
