"""Who takes part in a benchmark: a model on a backend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ptfan.engine.errors import InputError
from ptfan.engine.models import find_model
from ptfan.engine.runners.backends import PLAN_SUFFIX, Backend
from ptfan.engine.runners.choice import open_model
from ptfan.engine.runners.runner import Runner

__all__ = ["Contender", "contenders"]


@dataclass(frozen=True)
class Contender:
    """A model on a backend."""

    name: str
    """What reports call it."""
    model: str
    """As `--model` takes it."""
    backend: Backend
    """As `--backend` takes it."""
    gpu: int = 0
    """The GPU that a backend which needs one uses."""
    threads: int = 0
    """Threads inside the network; 0 takes one a core, or one for two cores where convolutions are int8."""

    @property
    def runs_videos(self) -> bool:
        """Whether it is a model of the runtime: whole videos are not run with a checkpoint."""
        return find_model(self.model).suffix in (".onnx", PLAN_SUFFIX)

    def open(self) -> Runner:
        """Load the model.

        Raises:
            InputNotFoundError: there is no such model.
            BackendError: the backend cannot run here.
        """
        return open_model(self.model, backend=self.backend, threads=self.threads, gpu=self.gpu)


def contenders(models: Sequence[str], backends: Sequence[Backend], *, gpu: int, threads: int) -> list[Contender]:
    """Return every model on every backend, which the names tell where there are several; checkpoints have but one.

    Files go by their names alone where no other has the same.

    Raises:
        InputNotFoundError: there is no such model.
        InputError: a model is named twice.
    """
    entries, files = [], [Path(model).name for model in models]
    for model, file in zip(models, files, strict=True):
        if models.count(model) > 1:
            raise InputError(f"model {model} is named twice, expected each of them once")
        short = file if files.count(file) == 1 else model
        single = Contender(short, model, "auto", gpu, threads)
        asked = backends if single.runs_videos else ("auto",)
        names = {backend: f"{short} on {backend}" if len(asked) > 1 else short for backend in asked}
        entries += [replace(single, name=name, backend=backend) for backend, name in names.items()]
    return entries
