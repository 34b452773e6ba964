"""The backends in order of preference, and which of them can run here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from ptfan.engine.errors import MissingExtraError, PtfanError
from ptfan.engine.runners.onnx_file import read_spec

__all__ = [
    "BACKENDS",
    "OPENVINO",
    "PLAN_SUFFIX",
    "Backend",
    "BackendName",
    "BackendStatus",
    "backend_status",
    "backend_statuses",
    "backends_for",
    "chosen_backends",
]

BackendName = Literal["tensorrt", "onnxruntime-cuda", "onnxruntime", "openvino", "openvino-bf16"]
Backend = Literal["auto", BackendName]
"""A backend, or `auto` for the best that can run here."""
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)
"""The best first."""
OPENVINO: tuple[BackendName, ...] = ("openvino", "openvino-bf16")
"""OpenVINO's, which `auto` never takes: fp32 is no faster than ONNX Runtime, and bf16 is another answer."""
PLAN_SUFFIX = ".plan"
"""How a TensorRT plan's file is called."""


@dataclass(frozen=True)
class BackendStatus:
    """Whether a backend can run here."""

    name: BackendName
    """The backend, as `--backend` takes it."""
    usable: bool
    """True if it can run here."""
    reason: str
    """Where it computes; or why it cannot, and what to do."""
    installed: bool = True
    """False if it cannot run because a package is missing."""


def backend_statuses(gpu: int = 0) -> list[BackendStatus]:
    """Return the state of every backend, the best first.

    Args:
        gpu: the GPU that those which need one would use.
    """
    return [backend_status(name, gpu) for name in BACKENDS]


def backends_for(model: Path) -> tuple[BackendName, ...]:
    """Return the backends that run a file, the best first: TensorRT runs plans alone, GPUs run no int8 ONNX files.

    Raises:
        ModelError: it is neither a plan nor an ONNX file of ptfan.
    """
    if model.suffix == PLAN_SUFFIX:
        return ("tensorrt",)
    barred = ("tensorrt", "onnxruntime-cuda") if read_spec(model).convolutions == "int8" else ("tensorrt",)
    return tuple(name for name in BACKENDS if name not in barred)


def chosen_backends(model: Path) -> tuple[BackendName, ...]:
    """Return the backends that `auto` chooses from for a file, the best first."""
    return tuple(name for name in backends_for(model) if name not in OPENVINO)


def backend_status(name: BackendName, gpu: int = 0) -> BackendStatus:
    """Return whether one backend can run here; one that needs a GPU is tried on it."""
    if name == "tensorrt":
        return _tensorrt_status(gpu)
    if name in OPENVINO:
        return _openvino_status(name)
    if find_spec("onnxruntime") is None:
        extra = "cuda" if name == "onnxruntime-cuda" else "cpu"
        return BackendStatus(name, False, f"not installed: pip install 'ptfan[{extra}]'", installed=False)
    if name == "onnxruntime":
        return BackendStatus(name, True, "ONNX Runtime on the CPU")
    problem = _cuda_problem(gpu)
    return BackendStatus(name, problem is None, problem or f"ONNX Runtime on GPU {gpu}")


def _tensorrt_status(gpu: int) -> BackendStatus:
    """Whether a plan runs is told by the plan itself."""
    from ptfan.engine.runners.trt.gpu import find_gpu
    from ptfan.engine.runners.trt.tensorrt_module import import_tensorrt

    try:
        trt = import_tensorrt()
        found = find_gpu(gpu)
    except PtfanError as error:
        return BackendStatus("tensorrt", False, str(error), installed=not isinstance(error, MissingExtraError))
    reason = f"plans of `ptfan build`, by {trt.__name__} {trt.__version__} on GPU {gpu} ({found.name})"
    return BackendStatus("tensorrt", True, reason)


def _openvino_status(name: BackendName) -> BackendStatus:
    if find_spec("openvino") is None:
        return BackendStatus(name, False, "not installed: pip install 'ptfan[openvino]'", installed=False)
    from ptfan.engine.runners.ov.openvino_module import openvino_problem

    bf16 = name == "openvino-bf16"
    problem = openvino_problem(bf16=bf16)
    where = f"OpenVINO on the CPU{', features in bf16' if bf16 else ''}; auto does not take it"
    return BackendStatus(name, problem is None, problem or where)


@lru_cache
def _cuda_problem(gpu: int) -> str | None:
    """Load a small model on the GPU, as ONNX Runtime lists a provider whose libraries it may not find."""
    from ptfan.engine.models import FLOW_MODEL
    from ptfan.engine.runners.ort.ort_runner import OrtRunner

    try:
        OrtRunner(FLOW_MODEL, threads=1, gpu=gpu).close()
    except PtfanError as error:
        return str(error)
    return None
