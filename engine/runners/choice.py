"""Which runner, and which of a model's files, suits this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path

from ptfan.engine.errors import BackendError, InputError, MissingExtraError
from ptfan.engine.machine import multiplies_bytes
from ptfan.engine.models import INT8, find_model, shipped_models
from ptfan.engine.notices import log_warning
from ptfan.engine.runners.backends import (
    BACKENDS,
    OPENVINO,
    PLAN_SUFFIX,
    Backend,
    BackendName,
    BackendStatus,
    backend_status,
    backends_for,
    chosen_backends,
)
from ptfan.engine.runners.runner import Runner

__all__ = ["RUNNER_GROUP", "choose_file", "open_model", "open_runner"]

RUNNER_GROUP = "ptfan.runners"
"""Entry points of this group are called like the files that they run (`safetensors`; ONNX needs none); they are
functions `(model: Path, *, threads: int) -> Runner`."""


def open_model(model: str | Path, *, backend: Backend = "auto", threads: int = 0, gpu: int = 0) -> Runner:
    """Load the file of a model that suits the backend; see `choose_file`, and `open_runner` for the rest."""
    return open_runner(choose_file(model, backend=backend, gpu=gpu), backend=backend, threads=threads, gpu=gpu)


def choose_file(model: str | Path, *, backend: Backend = "auto", gpu: int = 0) -> Path:
    """Return a model's file: the one of its name, or its int8 file where `auto` computes on a CPU that gains by it.

    Args:
        model: a model of the package by name, or a path, which stands for that very file.
        backend: `auto`, or a backend's name, which takes the file of the model's name.
        gpu: the GPU that a backend which needs one uses.

    Raises:
        InputNotFoundError: there is no such model.
        MissingExtraError: no backend is installed.
    """
    path, small = find_model(model), shipped_models().get(f"{model}{INT8}")
    if backend != "auto" or small is None or not multiplies_bytes():
        return path
    return small if _usable(chosen_backends(path), gpu) == "onnxruntime" else path


def open_runner(model: Path, *, backend: Backend = "auto", threads: int = 0, gpu: int = 0) -> Runner:
    """Load a model on the best backend that can run here, or on the one that is named.

    Args:
        model: an ONNX file that ptfan exported, a plan that it built, or a file that an entry point of `RUNNER_GROUP`
            runs.
        backend: `auto`, or a backend's name.
        threads: threads inside the network; 0 takes one a core, or one for two cores where convolutions are int8.
        gpu: the GPU that a backend which needs one uses.

    Raises:
        InputError: there is no such backend, or it does not run such a file.
        MissingExtraError: no backend (or not the one named) is installed.
        BackendError: the backend that is named cannot run here.
        ModelError: the file is not a model of ptfan.
    """
    kind = model.suffix.lstrip(".")
    # Looking through all that is installed would cost every start a few milliseconds.
    others = entry_points(group=RUNNER_GROUP, name=kind) if backend == "auto" and kind not in ("onnx", "plan") else ()
    for other in others:
        runner: Runner = other.load()(model, threads=threads)
        return runner
    if backend != "auto" and backend not in BACKENDS:
        raise InputError(f"backend is {backend!r}, expected auto or one of: {', '.join(BACKENDS)}")
    names = backends_for(model)
    if backend not in ("auto", *names):
        raise InputError(_wrong_file(model, backend))
    if names == ("tensorrt",):  # whether a plan can run is told by what it was built for
        from ptfan.engine.runners.trt.tensorrt_runner import TensorRTRunner

        return TensorRTRunner(model, gpu=gpu)
    name = _usable(chosen_backends(model) if backend == "auto" else (backend,), gpu)
    _tell_unused(name, gpu)
    return _open_onnx(model, name, threads, gpu)


def _open_onnx(model: Path, name: BackendName, threads: int, gpu: int) -> Runner:
    if name in OPENVINO:
        from ptfan.engine.runners.ov.openvino_runner import OpenVINORunner

        return OpenVINORunner(model, threads=threads, arithmetic="bf16" if name == "openvino-bf16" else "fp32")
    from ptfan.engine.runners.ort.ort_runner import OrtRunner

    return OrtRunner(model, threads=threads, gpu=gpu if name == "onnxruntime-cuda" else None)


def _wrong_file(model: Path, backend: Backend) -> str:
    if backend == "tensorrt":
        return f"backend tensorrt runs plans, got {model.name}; make one: ptfan build {model.stem} -o {model.stem}.plan"
    if model.suffix == PLAN_SUFFIX:
        return f"backend {backend} runs ONNX files, got the plan {model}; expected backend tensorrt"
    return f"backend {backend} runs no int8 files, which are for CPUs, got {model.name}; take one of fp16 or fp32"


def _usable(names: Sequence[BackendName], gpu: int) -> BackendName:
    """Return the first of some backends that can run here."""
    refused: list[BackendStatus] = []
    for name in names:
        status = backend_status(name, gpu)
        if status.usable:
            _tell(name, tuple(refused))
            return name
        refused.append(status)
    kind = BackendError if any(status.installed for status in refused) else MissingExtraError
    raise kind(_reasons(refused))


@lru_cache
def _tell(name: BackendName, refused: tuple[BackendStatus, ...]) -> None:
    """Warn, once, that a GPU stays unused; where there is none, or it is hidden, the CPU is what one expects."""
    if refused and shutil.which("nvidia-smi") and os.environ.get("CUDA_VISIBLE_DEVICES") != "":
        log_warning(f"computes by {name}; {_reasons(refused)}")


@lru_cache
def _tell_unused(name: BackendName, gpu: int) -> None:
    """Warn, once, that a GPU which was asked for has no part in it; the first one is everybody's default."""
    if gpu and name != "onnxruntime-cuda":
        log_warning(f"computes by {name}, on the CPU: GPU {gpu} was asked for and is not used")


def _reasons(refused: Sequence[BackendStatus]) -> str:
    return "; ".join(f"backend {status.name}: {status.reason}" for status in refused)
