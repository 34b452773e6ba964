"""The backends in order of preference, and which of them can run here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Literal, get_args

from ptfan.engine.errors import PtfanError

__all__ = ["BACKENDS", "Backend", "BackendName", "BackendStatus", "backend_status", "backend_statuses"]

BackendName = Literal["onnxruntime-cuda", "onnxruntime"]
Backend = Literal["auto", "onnxruntime-cuda", "onnxruntime"]
"""A backend, or `auto` for the best that can run here."""
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)
"""The best first."""


@dataclass(frozen=True)
class BackendStatus:
    """Whether a backend can run here."""

    name: BackendName
    """The backend, as `--backend` takes it."""
    usable: bool
    """True if it can run here."""
    reason: str
    """Where it computes; or why it cannot, and what to do."""


def backend_statuses(gpu: int = 0) -> list[BackendStatus]:
    """Return the state of every backend, the best first.

    Args:
        gpu: the GPU that those which need one would use.
    """
    return [backend_status(name, gpu) for name in BACKENDS]


def backend_status(name: BackendName, gpu: int = 0) -> BackendStatus:
    """Return whether one backend can run here; one that needs a GPU is tried on it."""
    if find_spec("onnxruntime") is None:
        extra = "cuda" if name == "onnxruntime-cuda" else "cpu"
        return BackendStatus(name, False, f"not installed: pip install 'ptfan[{extra}]'")
    if name == "onnxruntime":
        return BackendStatus(name, True, "ONNX Runtime on the CPU")
    problem = _cuda_problem(gpu)
    return BackendStatus(name, problem is None, problem or f"ONNX Runtime on GPU {gpu}")


@lru_cache
def _cuda_problem(gpu: int) -> str | None:
    """Load a small model on the GPU, as ONNX Runtime lists a provider whose libraries it may not find."""
    from ptfan.engine.models import FLOW_MODEL
    from ptfan.engine.ort import OrtRunner

    try:
        OrtRunner(FLOW_MODEL, threads=1, gpu=gpu).close()
    except PtfanError as error:
        return str(error)
    return None
