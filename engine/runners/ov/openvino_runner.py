"""The OpenVINO backend, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, ModelError, one_line
from ptfan.engine.interrupts import let_handlers_through
from ptfan.engine.machine import usual_threads
from ptfan.engine.runners.half import cast
from ptfan.engine.runners.onnx_file import check_whole, read_spec
from ptfan.engine.runners.ov.flow_warp_conversion import flow_warp_extension
from ptfan.engine.runners.ov.openvino_module import import_openvino
from ptfan.engine.runners.runner import (
    DTYPES,
    Arrays,
    BoundRunner,
    State,
    Values,
)
from ptfan.engine.spec import Precision

__all__ = ["Arithmetic", "OpenVINORunner"]

Arithmetic = Literal["fp32", "bf16"]
HINTS: dict[Arithmetic, str] = {"fp32": "f32", "bf16": "bf16"}
TYPES = {"f32": np.float32, "f16": np.float16}
SIZES = 4
"""Sizes of frames that stay compiled, at most: each takes a copy of the weights, and some seconds when it comes."""
Shapes = tuple[tuple[str, tuple[int, ...]], ...]


class OpenVINORunner(BoundRunner):
    """A network in OpenVINO, which compiles it for each size of frames when that comes for the first time."""

    def __init__(self, model: Path, *, threads: int = 0, arithmetic: Arithmetic = "fp32") -> None:
        """Read an ONNX file.

        Args:
            model: the file.
            threads: threads inside the network; 0 takes one a core.
            arithmetic: `bf16` computes features in bf16, if the CPU can; flow, and where it leads, stay fp32.

        Raises:
            ModelError: not an ONNX file, or none that ptfan exported.
        """
        super().__init__(model, read_spec(model))
        check_whole(model)
        self._arithmetic: Arithmetic = arithmetic
        self._openvino = import_openvino()
        self._core = _core()
        graph = self._read(model)
        self._types = {entry.any_name: TYPES.get(entry.element_type.get_type_name()) for entry in graph.inputs}
        self._names = [entry.any_name for entry in graph.outputs]
        self._check_interface(self._types, self._names)
        self._graph: Any = graph
        self._options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": HINTS[arithmetic],
            "INFERENCE_NUM_THREADS": threads or usual_threads(),
            "ENABLE_CPU_PINNING": False,  # decoding, flow and encoding run on the same cores
        }
        self._request = lru_cache(SIZES)(self._compile)

    @property
    def backend(self) -> str:
        """The backend and where it computes."""
        return "openvino (CPU)" if self._arithmetic == "fp32" else "openvino-bf16 (CPU)"

    def allocate(self, shape: tuple[int, ...], precision: Precision) -> State:
        """Return memory for one output, filled with zeros."""
        return np.zeros(shape, DTYPES[precision])

    def copy_stream(self, source: State, into: State, stream: int) -> None:
        """Copy one stream's part of a value."""
        into[stream] = source[stream]

    def run_into(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]]:
        """Run once, with some outputs written to memory that is there already; see `BoundRunner`."""
        self._check_ready(self._graph, self._types, inputs)
        arrays = {name: cast(inputs[name], dtype) for name, dtype in self._types.items()}
        try:
            return self._bound(arrays, into)
        except (RuntimeError, MemoryError) as error:
            let_handlers_through(error)
            raise BackendError(f"model {self.spec.name}: OpenVINO failed ({_why(error)})") from error

    def close(self) -> None:
        """Free what was compiled; a closed runner runs no more."""
        self._request.cache_clear()
        self._graph = None

    def _read(self, model: Path) -> Any:
        try:
            return self._core.read_model(model)
        except RuntimeError as error:
            raise ModelError(
                f"model {model}: OpenVINO cannot load it ({_why(error)}); expected an ONNX file"
            ) from error

    def _bound(self, arrays: Arrays, into: Mapping[str, State]) -> dict[str, NDArray[Any]]:
        request = self._request(_shapes(arrays, free=not into), frozenset(into))
        for name, array in (*arrays.items(), *into.items()):
            request.set_tensor(name, self._openvino.Tensor(array, shared_memory=True))
        request.infer(share_outputs=True)
        others = (name for name in self._names if name not in into)
        return {name: request.get_tensor(name).data.astype(np.float32) for name in others}

    def _compile(self, shapes: Shapes, into: frozenset[str]) -> Any:
        """Return what runs the graph, with memory of its own for all outputs but those that `into` names.

        Runs whose `into` names other outputs get another one: this one would go on writing to memory that an earlier
        run has named.
        """
        graph = self._graph.clone()
        for name, shape in shapes:  # `reshape` would change what the graph says is fixed
            got, expected = self._openvino.PartialShape(list(shape)), graph.input(name).partial_shape
            if not expected.compatible(got):
                raise RuntimeError(f"{name} is {got}, expected {expected}")
        graph.reshape(dict(shapes))
        if self._arithmetic == "bf16":
            _keep_grids(graph)
        return self._core.compile_model(graph, "CPU", self._options).create_infer_request()


@lru_cache
def _core() -> Any:
    """Return OpenVINO's core, one for the process.

    Once it uses its CPU plugin, a core gives the thread a stack of its own for signals, which it frees with itself. Of
    two cores that do not end in reverse order, or in the threads in which they began, the next Ctrl-C would find no
    stack, and crash.
    """
    core = import_openvino().Core()
    core.add_extension(flow_warp_extension())
    return core


def _shapes(arrays: Arrays, *, free: bool) -> Shapes:
    """Return what the graph is compiled for: windows are `free` to be of any length, which costs them little.

    A step would take a quarter to a half longer, and nobody would check the memory that outputs are written to.
    """
    return tuple((name, (-1 if free else len(array), *array.shape[1:])) for name, array in arrays.items())


def _keep_grids(graph: Any) -> None:
    """Make outputs of the places that warps sample: what leads to outputs alone stays fp32, all else becomes bf16.

    A place in a picture of 432 pixels would be off by nearly half a pixel.
    """
    for node in graph.get_ops():
        if node.get_type_name() == "GridSample":
            graph.add_outputs(node.input_value(1))


def _why(error: Exception) -> str:
    """Return the end of what OpenVINO says: where in its sources it was found comes first."""
    return one_line(error)[-200:]
