"""What runs a network: the runner's contract, and the choice of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, runtime_checkable

from numpy.typing import NDArray

from ptfan.engine.errors import InputError, MissingExtraError
from ptfan.engine.spec import ModelSpec

__all__ = [
    "RUNNER_GROUP",
    "Arrays",
    "Backend",
    "BackendStatus",
    "BoundRunner",
    "Runner",
    "backend_statuses",
    "open_runner",
]

RUNNER_GROUP = "ptfan.runners"
"""Entry points of this group are called like the files that they run (`safetensors`; ONNX needs none); they are
functions `(model: Path, *, threads: int) -> Runner`."""

Arrays = Mapping[str, NDArray[Any]]
Backend = Literal["auto", "onnxruntime"]


class Runner(Protocol):
    """A loaded network. A context manager; `close` frees what it holds."""

    @property
    def spec(self) -> ModelSpec:
        """How the network wants to be fed."""

    @property
    def backend(self) -> str:
        """The backend and where it computes, for people to read."""

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run once. Floating inputs may come in any precision; outputs are float32."""

    def close(self) -> None:
        """Free what the runner holds."""

    def __enter__(self) -> Runner: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class BoundRunner(Runner, Protocol):
    """A runner that can write into arrays of the caller's: what the step form needs."""

    def run_into(self, inputs: Arrays, into: Arrays) -> dict[str, NDArray[Any]]:
        """Run once; write the outputs that `into` names there, in the graph's own precision; return the others."""


@dataclass(frozen=True)
class BackendStatus:
    """Whether a backend can run here."""

    name: str
    """The backend, as `--backend` takes it."""
    usable: bool
    """True if it can run here."""
    reason: str
    """Why, or why not and what to do."""


def backend_statuses() -> list[BackendStatus]:
    """Return every backend in order of preference, and whether it can run here."""
    if find_spec("onnxruntime") is None:
        status = BackendStatus("onnxruntime", False, "not installed: pip install 'ptfan[cpu]'")
    else:
        status = BackendStatus("onnxruntime", True, "ONNX Runtime on the CPU")
    return [status]


def open_runner(model: Path, *, backend: Backend = "auto", threads: int = 0) -> Runner:
    """Load a model on the best backend that can run here, or on the one that is named.

    Args:
        model: an ONNX file that ptfan exported, or a file that an entry point of `RUNNER_GROUP` runs.
        backend: `auto`, or a backend's name.
        threads: threads inside the network; 0 takes one a core.

    Raises:
        InputError: there is no such backend.
        MissingExtraError: no backend (or not the one named) is installed.
        ModelError: the file is not a model of ptfan.
    """
    kind = model.suffix.lstrip(".")
    # ONNX files are what is run here; looking through all that is installed would cost every start a few milliseconds.
    others = entry_points(group=RUNNER_GROUP, name=kind) if backend == "auto" and kind != "onnx" else ()
    for other in others:
        runner: Runner = other.load()(model, threads=threads)
        return runner
    statuses = [status for status in backend_statuses() if backend in ("auto", status.name)]
    if not statuses:
        names = ", ".join(status.name for status in backend_statuses())
        raise InputError(f"backend is {backend!r}, expected auto or one of: {names}")
    if not any(status.usable for status in statuses):
        raise MissingExtraError("; ".join(f"backend {status.name}: {status.reason}" for status in statuses))
    from ptfan.engine.ort import OrtRunner

    return OrtRunner(model, threads=threads)
