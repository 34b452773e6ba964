"""What runs a network: the contract of every backend's runner."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.closing import Closing
from ptfan.engine.errors import ModelError
from ptfan.engine.notices import log_warning
from ptfan.engine.spec import ModelSpec, Precision

__all__ = [
    "DTYPES",
    "Arrays",
    "BoundRunner",
    "Runner",
    "State",
    "Values",
    "WatchableRunner",
    "warn_no_graphs",
]

Arrays = Mapping[str, NDArray[Any]]
"""What a network is fed, by name."""
State = Any
"""What `BoundRunner.allocate` returns: memory where that runner computes. Nobody else looks into it."""
Values = Mapping[str, Any]
"""Arrays or states by name."""
DTYPES: dict[Precision, Any] = {"fp32": np.float32, "fp16": np.float16}
"""The types of the precisions."""


class Runner(Closing):
    """A loaded network. A context manager; `close` frees what it holds.

    Attributes:
        path: The file that was loaded.
        spec: How the network wants to be fed.
    """

    def __init__(self, path: Path, spec: ModelSpec) -> None:
        self.path, self.spec = path, spec

    @property
    @abstractmethod
    def backend(self) -> str:
        """The backend and where it computes, for people to read."""

    @abstractmethod
    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run once. Floating inputs may come in any precision; outputs are float32.

        Raises:
            ModelError: an input is missing, or the runner is closed.
            BackendError: the backend failed, for want of memory or because an input does not fit the network.
        """

    def _check_interface(self, types: Mapping[str, Any], outputs: Iterable[str]) -> None:
        """Check that a graph has the inputs and outputs that its spec tells of: other tools may have changed it.

        Args:
            types: of its inputs, by name; None where one is neither fp32 nor fp16.
            outputs: the names.

        Raises:
            ModelError: it has not, or an input is not floating.
        """
        if None in types.values():
            raise ModelError(f"model {self.path}: takes inputs that are not floating; export it with `ptfan export`")
        if self.spec.helps:
            return
        side = self.spec.size_multiple
        taken, given = (shapes(1, side, side).keys() for shapes in (self.spec.input_shapes, self.spec.output_shapes))
        wrong = sorted((taken ^ types.keys()) | (given - set(outputs)))
        if wrong:
            raise ModelError(f"model {self.path}: spec and graph differ about {', '.join(wrong)}; export it again")

    def _check_ready(self, network: object, wanted: Iterable[str], inputs: Values) -> None:
        """Check that there still is a network, None where the runner is closed, and all inputs that it takes.

        Raises:
            ModelError: the runner is closed, or an input is missing.
        """
        if network is None:
            raise ModelError(f"model {self.spec.name}: its runner is closed; open another one")
        missing = sorted(set(wanted) - set(inputs))
        if missing:
            raise ModelError(f"model {self.spec.name}: input {', '.join(missing)} was not given")


class BoundRunner(Runner):
    """A runner that keeps values between two runs where it computes: what the step form needs."""

    @abstractmethod
    def allocate(self, shape: tuple[int, ...], precision: Precision) -> State:
        """Return memory for one output, filled with zeros: for `run_into` to write, and to read in a later run.

        Raises:
            BackendError: there is not so much memory.
        """

    @abstractmethod
    def copy_stream(self, source: State, into: State, stream: int) -> None:
        """Copy one stream's part of a value: entry `stream` of its first axis."""

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run once; see `run_into`."""
        return self.run_into(inputs, {})

    @abstractmethod
    def run_into(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]]:
        """Run once, with some outputs written to memory that is there already.

        Args:
            inputs: by name, arrays or what `allocate` returned.
            into: by the outputs' names, what `allocate` returned for their types and shapes.

        Returns:
            The other outputs.

        Raises:
            ModelError: an input is missing, or the runner is closed.
            BackendError: the backend failed, for want of memory or because an array does not fit the network.
        """


class WatchableRunner(Runner):
    """A runner that can tell how large the values inside the network become: one that has its layers, no mere graph."""

    @property
    @abstractmethod
    def largest_activation(self) -> float | None:
        """The largest absolute value that a layer has given; None before `watch`."""

    @abstractmethod
    def watch(self) -> None:
        """Look at what every layer gives from now on."""


def warn_no_graphs(name: str, why: str) -> None:
    """Warn that a GPU does not record what repeats.

    Args:
        name: whose runs they are: `model s-live`, for instance.
        why: what keeps it from that.
    """
    log_warning(f"{name}: no CUDA graphs, each kernel is launched by itself ({why})")
