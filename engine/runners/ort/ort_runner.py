"""The ONNX Runtime backend, on the CPU or on a CUDA GPU."""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, ModelError, one_line
from ptfan.engine.interrupts import let_handlers_through
from ptfan.engine.machine import cores, usual_threads
from ptfan.engine.runners.half import cast
from ptfan.engine.runners.onnx_file import check_whole, read_spec
from ptfan.engine.runners.ort.graphs import CudaGraphs
from ptfan.engine.runners.ort.onnxruntime_module import import_onnxruntime
from ptfan.engine.runners.runner import (
    DTYPES,
    BoundRunner,
    State,
    Values,
    warn_no_graphs,
)
from ptfan.engine.spec import ModelSpec, Precision

__all__ = ["GRAPHS_VARIABLE", "OrtRunner"]

GRAPHS_VARIABLE = "PTFAN_CUDA_GRAPHS"
"""Set it to 1 to let the CUDA GPU record what repeats, and launch it as a whole; where it cannot, a warning says so."""
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
CUDA_OPTIONS = {
    "use_tf32": "0",  # fp32 means fp32; who wants speed takes an fp16 file
    "arena_extend_strategy": "kSameAsRequested",  # else memory grows by powers of two
    "cudnn_conv_algo_search": "HEURISTIC",  # a search by trial takes seconds for every new size of crop
}
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
QUIET, USUAL = 4, 2
"""ONNX Runtime's levels of logging: fatal errors alone, and from warnings on."""
STDOUT = Lock()
"""Is held while something else stands in the place of Python's stdout."""


class OrtRunner(BoundRunner):
    """A network in ONNX Runtime."""

    def __init__(self, model: Path, *, threads: int = 0, gpu: int | None = None) -> None:
        """Load an ONNX file.

        Args:
            model: the file.
            threads: threads inside the network; 0 takes one a core, or one for two cores where convolutions are int8.
            gpu: the CUDA GPU to compute on; None is the CPU.

        Raises:
            ModelError: not an ONNX file, or none that ptfan exported.
            BackendError: the GPU, or what ONNX Runtime needs to use it, is not there.
        """
        onnxruntime = import_onnxruntime()

        super().__init__(model, read_spec(model))
        check_whole(model)
        self._threads, self._gpu = threads or _usual_threads(self.spec), gpu
        self._place = ("cpu", 0) if gpu is None else ("cuda", gpu)
        session = _open_session(model, self._threads, gpu, keep=not self.spec.helps)
        self._types = {entry.name: TYPES.get(entry.type) for entry in session.get_inputs()}
        self._names = [entry.name for entry in session.get_outputs()]
        self._check_interface(self._types, self._names)
        self._session: Any = session
        self._values: Any = onnxruntime.OrtValue
        self._graphs = self._open_graphs() if gpu is not None and os.environ.get(GRAPHS_VARIABLE) == "1" else None

    @property
    def backend(self) -> str:
        """The backend and where it computes."""
        if self._gpu is None:
            threads = self._threads or cores()
            numbers = "CPU, int8" if self.spec.convolutions == "int8" else "CPU"
            return f"onnxruntime ({numbers}, {threads} thread{'s' if threads > 1 else ''})"
        graphs = ", CUDA graphs" if self._graphs is not None else ""
        return f"onnxruntime-cuda (GPU {self._gpu}{graphs})"

    def allocate(self, shape: tuple[int, ...], precision: Precision) -> State:
        """Return memory for one output where the network computes, filled with zeros; see `BoundRunner`."""
        zeros = np.zeros(shape, DTYPES[precision])
        try:
            return self._values.ortvalue_from_numpy(zeros, *self._place)
        except Exception as error:  # ONNX Runtime's errors share no public base class
            let_handlers_through(error)
            raise BackendError(
                f"model {self.spec.name}: no memory for {zeros.nbytes / 1e6:.0f} MB ({one_line(error, 200)})"
            ) from error

    def copy_stream(self, source: State, into: State, stream: int) -> None:
        """Copy one stream's part of a value; on a GPU the whole of it goes by way of the CPU."""
        if self._gpu is not None:
            values = into.numpy()
            values[stream] = source.numpy()[stream]
            into.update_inplace(values)
            return
        part = math.prod(source.shape()[1:]) * np.dtype(TYPES[source.data_type()]).itemsize
        ctypes.memmove(into.data_ptr() + stream * part, source.data_ptr() + stream * part, part)

    def run_into(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]]:
        """Run once, with some outputs written to memory that is there already; see `BoundRunner`."""
        self._check_ready(self._session, self._types, inputs)
        try:
            outputs = self._recorded(inputs, into)
            if outputs is None:
                outputs = self._bound(inputs, into)
        except Exception as error:
            let_handlers_through(error)
            raise BackendError(f"model {self.spec.name}: ONNX Runtime failed ({one_line(error, 200)})") from error
        return {name: cast(array, np.float32) for name, array in outputs.items()}

    def _open_graphs(self) -> CudaGraphs | None:
        """Return what records runs; a helper network is none for a GPU."""
        if self.spec.helps:
            return None
        entries = [*self._session.get_inputs(), *self._session.get_outputs()]

        def open_fixed(shapes: Mapping[str, tuple[int, ...]]) -> Any:
            fixed = {
                name: size
                for entry in self._session.get_inputs()
                for name, size in zip(entry.shape, shapes[entry.name], strict=True)
                if isinstance(name, str)
            }
            return _open_session(self.path, self._threads, self._gpu, fixed)

        return CudaGraphs(self.spec, {entry.name: TYPES[entry.type] for entry in entries}, self._place, open_fixed)

    def _recorded(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]] | None:
        """Run as a CUDA graph; None where that is not done. A step writes nothing that it reads: it may run again."""
        graphs = self._graphs
        if graphs is None:
            return None
        try:
            return graphs.run(inputs, into)
        except Exception as error:  # ONNX Runtime's errors share no public base class
            let_handlers_through(error)
            self._graphs, why = None, one_line(error.__cause__ or error, 200)
            warn_no_graphs(f"model {self.spec.name}", why)
            return None

    def _bound(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]]:
        binding = self._session.io_binding()
        arrays = {}  # held until the run is over
        for name, dtype in self._types.items():
            value = inputs[name]
            if isinstance(value, self._values):
                binding.bind_ortvalue_input(name, value)
            else:
                arrays[name] = cast(value, dtype)
                binding.bind_cpu_input(name, arrays[name])
        for name in self._names:
            if name in into:
                binding.bind_ortvalue_output(name, into[name])
            else:
                binding.bind_output(name, "cpu")
        self._session.run_with_iobinding(binding)
        outputs = zip(self._names, binding.get_outputs(), strict=True)
        return {name: value.numpy() for name, value in outputs if name not in into}

    def close(self) -> None:
        """Free the session; a closed runner runs no more."""
        self._session = self._graphs = None


def _usual_threads(spec: ModelSpec) -> int:
    """Return how many threads a network gets where nobody says; 0 is one a core, as ONNX Runtime counts them.

    int8 convolutions are so short that waking other threads for them takes longer than they do, but for large frames;
    and a core that is left over prepares the next frames meanwhile.
    """
    return usual_threads() if spec.convolutions == "float" else max(1, cores() // 2)


def _open_session(
    model: Path, threads: int, gpu: int | None, fixed: Mapping[str, int] | None = None, *, keep: bool = True
) -> Any:
    """Return a session; one whose dimensions are all fixed may have its runs recorded by a GPU.

    Args:
        model: the ONNX file.
        threads: as of `open_runner`.
        gpu: its number; None computes on the CPU.
        fixed: to record: sizes by the names of dimensions, those that the file does not fix itself.
        keep: hold the CPU's memory from one run to the next.
    """
    options = _session_options(threads, fixed)
    # A network that is run once for a window would hold what thirty frames take at once while others need as much.
    options.enable_cpu_mem_arena = keep
    if gpu is None:
        return _load(model, options, CPU)
    _check_made_for_cuda(gpu)
    cuda = {"device_id": str(gpu), **CUDA_OPTIONS}
    if fixed is not None:
        cuda["enable_cuda_graph"] = "1"
    session = _load(model, options, (CUDA, cuda), gpu)
    _check_uses_cuda(session, gpu)
    return session


def _load(model: Path, options: Any, provider: str | tuple[str, dict[str, str]], gpu: int | None = None) -> Any:
    onnxruntime = import_onnxruntime()

    try:
        with _quiet(loads_cuda=gpu is not None):
            return onnxruntime.InferenceSession(str(model), options, providers=[provider], enable_fallback=0)
    except Exception as error:  # ONNX Runtime's errors share no public base class
        let_handlers_through(error)
        why = one_line(error, 200)
        if gpu is not None and "CUDA" in str(error):
            raise BackendError(f"GPU {gpu}: ONNX Runtime cannot use it ({why}); see `ptfan info`") from error
        raise ModelError(f"model {model}: ONNX Runtime cannot load it ({why}); expected an ONNX file") from error


def _check_made_for_cuda(gpu: int) -> None:
    onnxruntime = import_onnxruntime()

    if CUDA not in onnxruntime.get_available_providers():
        raise BackendError(
            f"GPU {gpu}: the ONNX Runtime here is the CPU's alone; pip uninstall onnxruntime, then "
            "pip install 'ptfan[cuda]'"
        )


def _check_uses_cuda(session: Any, gpu: int) -> None:
    """Check that CUDA's libraries were found: without them a session goes on with the CPU, and tells its log alone."""
    onnxruntime = import_onnxruntime()

    if CUDA not in session.get_providers():
        raise BackendError(
            f"GPU {gpu}: ONNX Runtime {onnxruntime.__version__} finds no CUDA and cuDNN of the versions that it was "
            "made for; pip install 'ptfan[cuda]' brings them"
        )


def _session_options(threads: int, fixed: Mapping[str, int] | None) -> Any:
    onnxruntime = import_onnxruntime()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = QUIET
    # Idle threads that spin would take the cores from decoding, flow and encoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    for name, size in (fixed or {}).items():
        options.add_free_dimension_override_by_name(name, size)
    # A plan of the memory is made after the first run: it would be allocated while the second is recorded.
    options.enable_mem_pattern = fixed is None
    return options


@contextmanager
def _quiet(*, loads_cuda: bool) -> Iterator[None]:
    """Keep ONNX Runtime's messages to itself: what is wrong is said in one line, and stdout may carry pictures."""
    onnxruntime = import_onnxruntime()

    onnxruntime.set_default_logger_severity(QUIET)
    try:
        if loads_cuda and hasattr(onnxruntime, "preload_dlls"):
            # It prints what it does not find. There is one stdout for all threads: each would put another's back.
            with STDOUT, redirect_stdout(StringIO()):
                onnxruntime.preload_dlls()  # of the packages that pip has installed
        yield
    finally:
        onnxruntime.set_default_logger_severity(USUAL)
