"""The two that are compared: loaded, checked to be fed alike, and shown the very same windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import open_filler
from ptfan.engine.models import file_sha256, find_model, shipped_models
from ptfan.engine.notices import Warn, log_warning
from ptfan.engine.prepare.preparer import Window
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.runners.runner import Runner, WatchableRunner
from ptfan.engine.spec import ModelSpec

__all__ = ["Contestant", "answers", "find_reference", "joint_spec"]


@dataclass(frozen=True, eq=False)
class Contestant:
    """One of the two that are compared."""

    runner: Runner
    """The model, loaded."""

    @property
    def path(self) -> Path:
        """Its file."""
        return self.runner.path

    def __str__(self) -> str:
        spec = self.runner.spec
        return f"{self.path.name} ({spec.name}, {spec.form} form, {spec.numbers}, {self.runner.backend})"

    def watch(self) -> None:
        """Look at the values inside the network from now on, where the runner can."""
        if isinstance(self.runner, WatchableRunner):
            self.runner.watch()

    @property
    def largest_activation(self) -> float | None:
        """The largest absolute value of a layer; None where the runner cannot tell."""
        return self.runner.largest_activation if isinstance(self.runner, WatchableRunner) else None

    def describe(self) -> dict[str, Any]:
        """Return file, hash, backend and spec, fit for JSON."""
        return {
            "path": str(self.path),
            "sha256": file_sha256(self.path),
            "backend": self.runner.backend,
            "spec": asdict(self.runner.spec),
        }


def find_reference(spec: ModelSpec, against: str | Path | None) -> Path:
    """Return the file to compare with: the one that is named, or the package's own model of the same name.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: none is named, and the package has none of that name that was made from the same weights.
    """
    if against is not None:
        return find_model(against)
    if spec.name not in shipped_models():
        raise InputError(f"model {spec.name}: none of this package to compare it with; name one with --against")
    path = find_model(spec.name)
    # A training keeps the name of the settings that it started with: the name alone does not make it the package's.
    if read_spec(path).weights_sha256 != spec.weights_sha256:
        raise InputError(
            f"model {spec.name}: has other weights than the package's {spec.name}; "
            "give the checkpoint that it was exported from: --against CHECKPOINT"
        )
    return path


def joint_spec(model: Contestant, reference: Contestant, warn: Warn = log_warning) -> ModelSpec:
    """Return how to feed both: the model's spec, narrowed by what the reference cannot take.

    Args:
        model: the one.
        reference: the other.
        warn: takes a line when they were made from different weights; the log without it.

    Raises:
        InputError: they are the same file on the same backend.
        ModelError: what the one takes, the other cannot.
    """
    ours, theirs = model.runner.spec, reference.runner.spec
    if model.path.resolve() == reference.path.resolve() and model.runner.backend == reference.runner.backend:
        raise InputError(f"{model.path}: would be compared with itself; name another file or backend with --against")
    if ours.fill != theirs.fill:
        raise ModelError(f"{model} takes holes filled as {ours.fill!r}, {reference} as {theirs.fill!r}: not comparable")
    if ours.weights_sha256 != theirs.weights_sha256:
        warn(f"{model.path} and {reference.path} were made from different weights")
    return replace(
        ours,
        size_multiple=math.lcm(ours.size_multiple, theirs.size_multiple),
        fixed_size=_agreed("size", ours.fixed_size, theirs.fixed_size),
        smallest_size=_narrowed(max, ours.smallest_size, theirs.smallest_size),
        largest_size=_narrowed(min, ours.largest_size, theirs.largest_size),
        fixed_window=_agreed("window", ours.fixed_window, theirs.fixed_window),
    )


def answers(model: Contestant, reference: Contestant, windows: Iterator[Window]) -> Iterator[tuple[Frame, Frame]]:
    """Show both every window; yield the finished frames of the model and of the reference, in order.

    Each window is a clip of its own, at whose end a step model is flushed: so every form computes the same.
    """
    fillers = open_filler(model.runner), open_filler(reference.runner)
    for window in windows:
        yield from zip(*(filler.infer(window) + filler.finish() for filler in fillers), strict=True)


def _agreed(what: str, ours: Any, theirs: Any) -> Any:
    if ours is not None and theirs is not None and ours != theirs:
        raise ModelError(f"the model takes the {what} {ours} only, the reference {theirs}: not comparable")
    return theirs if ours is None else ours


def _narrowed(
    choose: Callable[[int, int], int], ours: tuple[int, int] | None, theirs: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Return the end of the range of sizes that both take."""
    if ours is None or theirs is None:
        return theirs if ours is None else ours
    return choose(ours[0], theirs[0]), choose(ours[1], theirs[1])
