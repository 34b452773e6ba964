"""ONNX Runtime's runs as CUDA graphs: the kernels of a run are recorded once, and then launched as a whole."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError
from ptfan.engine.runners.half import cast
from ptfan.engine.runners.ort.onnxruntime_module import import_onnxruntime
from ptfan.engine.runners.runner import State, Values
from ptfan.engine.spec import ModelSpec

__all__ = ["CudaGraphs"]

MOST_SIZES = 4
"""Sizes of frames that have a session of their own."""
MOST_GRAPHS = 64
"""Graphs that a session records. It cannot drop one: when all are used up, it is closed and another one opened. A step
model takes a dozen at the most, as its addresses come round again, but every scene may bring others."""
NO_GRAPH = "-1"
"""The provider's number for a run that is neither recorded nor launched as a graph; 0 is taken, by the provider."""

CODECS = ("libnvcuvid.so.1", "libnvidia-encode.so.1")
"""NVIDIA's decoder and encoder, which FFmpeg opens where it decodes or encodes on a GPU."""

Shapes = Mapping[str, tuple[int, ...]]


class CudaGraphs:
    """Sessions for frames of one size each.

    CUDA's provider records a run only where all of it is done on the GPU. What a model of any size works out of its
    sizes is done on the CPU, so that each size has a session in which these are fixed.

    All of it is done in one thread: a recording belongs to the thread that has made it, and stays with all that this
    thread has taken on the GPU until the session closes. Every video has a thread of its own, and streams take turns.
    """

    def __init__(
        self,
        spec: ModelSpec,
        types: Mapping[str, Any],
        place: tuple[str, int],
        open_session: Callable[[Shapes], Any],
    ) -> None:
        """Open no session yet.

        Args:
            spec: of the model, of the clip or the step form.
            types: of its inputs and outputs.
            place: where it computes, as `OrtValue` has it.
            open_session: opens a session that may record, given the shapes of the inputs.
        """
        self._spec, self._types, self._place, self._open = spec, types, place, open_session
        self._sizes: dict[tuple[int, ...], _FixedSize] = {}
        self._thread = ThreadPoolExecutor(1, "cuda-graphs")

    def run(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]] | None:
        """Run once, see `OrtRunner.run_into`.

        Returns:
            The outputs that `into` does not name. None, and nothing is done, where shapes do not fit the model, or
            there are too many sizes already.

        Raises:
            BackendError: a recording would disturb a decoder or an encoder.
            Exception: whatever else keeps ONNX Runtime from recording or running it.
        """
        return self._thread.submit(self._run, inputs, into).result()

    def _run(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]] | None:
        size = _shape(inputs["frames"])
        if len(size) != 4 or (size not in self._sizes and len(self._sizes) == MOST_SIZES):
            return None
        frames, _, height, width = size
        shapes = self._spec.input_shapes(frames, width, height)
        outputs = self._spec.output_shapes(frames, width, height)
        given = {**inputs, **into}
        if any(_shape(given[name]) != shape for name, shape in (shapes | outputs).items() if name in given):
            return None
        if size not in self._sizes or self._sizes[size].full:
            self._sizes[size] = _FixedSize(self._open(shapes), shapes | outputs, self._types, self._place)
        return self._sizes[size].run(inputs, into)


class _FixedSize:
    """A session at one size: runs whose addresses come again are recorded, and then launched."""

    def __init__(self, session: Any, shapes: Shapes, types: Mapping[str, Any], place: tuple[str, int]) -> None:
        self._session, self._shapes, self._types, self._place = session, shapes, types, place
        self._onnxruntime = import_onnxruntime()
        self._own: dict[str, State] = {}
        self._seen: set[tuple[int, ...]] = set()
        self._graphs: dict[tuple[int, ...], str] = {}
        self.full = False
        """Whether a run came again that could not be recorded, as there are as many graphs as there may be."""

    def run(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]]:
        values = {entry.name: self._input(entry.name, inputs[entry.name]) for entry in self._session.get_inputs()}
        outputs = {entry.name: self._output(entry.name, into) for entry in self._session.get_outputs()}
        binding = self._session.io_binding()
        for name, value in values.items():
            binding.bind_ortvalue_input(name, value)
        for name, value in outputs.items():
            binding.bind_ortvalue_output(name, value)
        addresses = tuple(value.data_ptr() for value in (*values.values(), *outputs.values()))
        self._session.run_with_iobinding(binding, self._options(addresses))
        return {name: value.numpy() for name, value in outputs.items() if name not in into}

    def _input(self, name: str, value: Any) -> State:
        """Return an input where the session computes; an array is written to where that name's always are."""
        if isinstance(value, self._onnxruntime.OrtValue):
            return value
        own = self._at_home(name)
        own.update_inplace(cast(value, self._types[name]))
        return own

    def _output(self, name: str, into: Mapping[str, State]) -> State:
        return into[name] if name in into else self._at_home(name)

    def _at_home(self, name: str) -> State:
        """Return memory that stays where it is: a recording holds addresses."""
        if name not in self._own:
            zeros = np.zeros(self._shapes[name], self._types[name])
            self._own[name] = self._onnxruntime.OrtValue.ortvalue_from_numpy(zeros, *self._place)
        return self._own[name]

    def _options(self, addresses: tuple[int, ...]) -> Any:
        """Return a run's options: what comes the first time is not recorded, as it may not come again."""
        if addresses in self._seen and addresses not in self._graphs:
            self.full = len(self._graphs) == MOST_GRAPHS
            if not self.full:
                _check_no_codec()
                self._graphs[addresses] = str(len(self._graphs) + 1)
        elif len(self._seen) == MOST_GRAPHS:
            self._seen.clear()
        self._seen.add(addresses)
        options = self._onnxruntime.RunOptions()
        options.add_run_config_entry("gpu_graph_id", self._graphs.get(addresses, NO_GRAPH))
        return options


def _check_no_codec() -> None:
    """Check that nothing in this process decodes or encodes on a GPU.

    While ONNX Runtime records, what allocates on the GPU in any other thread fails, and ends the recording as well.

    Raises:
        BackendError: something does.
    """
    for name in CODECS:
        try:
            ctypes.CDLL(name, os.RTLD_NOW | os.RTLD_NOLOAD)
        except OSError:
            continue
        raise BackendError("a GPU decodes or encodes in this process, which fails while ONNX Runtime records")


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape of an array or of what a runner has allocated."""
    shape = value.shape
    return tuple(shape() if callable(shape) else shape)
