"""The TensorRT backend: plans that `ptfan build` made, with a stream's states kept on the GPU."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, ModelError
from ptfan.engine.runners.half import cast
from ptfan.engine.runners.runner import DTYPES, BoundRunner, State, Values, check_inputs, check_open
from ptfan.engine.runners.trt.device import Device, Staging
from ptfan.engine.runners.trt.device_array import DeviceArray
from ptfan.engine.runners.trt.launches import Launches
from ptfan.engine.runners.trt.plan_record import read_record
from ptfan.engine.runners.trt.plugin_choice import LIBRARY_NAME, PLUGIN_VARIABLE, find_plugin
from ptfan.engine.runners.trt.sizes import Extent
from ptfan.engine.runners.trt.tensorrt_module import import_tensorrt, make_log
from ptfan.engine.spec import Precision

__all__ = ["TRUST_VARIABLE", "TensorRTRunner"]

TRUST_VARIABLE = "PTFAN_TRUST_PLANS"
"""Set it to 1 to run plans that carry code."""
RTX_CAPABILITIES = ((7, 5), (8, 0), (8, 6), (8, 9), (12, 0), (12, 1))
"""Compute capabilities that TensorRT for RTX names."""


class TensorRTRunner(BoundRunner):
    """A network as a TensorRT plan."""

    def __init__(self, plan: Path, *, gpu: int = 0) -> None:
        """Load a plan onto a GPU.

        Args:
            plan: what `ptfan build` wrote, with its record beside it.
            gpu: the GPU's number.

        Raises:
            InputNotFoundError: there is no such plan.
            ModelError: it has no record, or one of another plan.
            MissingExtraError: TensorRT or CUDA's bindings are not installed.
            BackendError: there is no GPU, or the plan does not fit it or this TensorRT.
        """
        self._record = read_record(plan)
        super().__init__(plan, self._record.sized_spec)
        # What one thread queues while another records would become part of the recording.
        self._turn = threading.RLock()
        trt = import_tensorrt(self._record.tensorrt)
        self._device = Device(gpu)
        self._check(trt)
        self._log = make_log(trt)
        with self._device.current():
            # The context runs only as long as what it was made by lives.
            self._runtime = trt.Runtime(self._log)
            self._engine = self._load(trt)
            self._context: Any = self._new_context(trt)
        if self._context is None:
            raise BackendError(f"plan {plan}: no memory to run it ({self._log.problem})")
        self._launches = Launches(self._device, f"plan {plan}")
        self._types, self._inputs, self._outputs = self._tensors(trt)
        self._extent: Extent | None = None
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._staging: dict[str, Staging] = {}

    @property
    def backend(self) -> str:
        """The backend and where it computes."""
        graphs = ", CUDA graphs" if self._launches.recorded and self._is_recordable() else ""
        return f"tensorrt (GPU {self._device.index}{graphs})"

    def allocate(self, shape: tuple[int, ...], precision: Precision) -> State:
        """Return memory for one output on the GPU, filled with zeros.

        Raises:
            BackendError: there is not so much memory.
        """
        with self._turn, self._device.current():
            return self._device.allocate(shape, DTYPES[precision])

    def copy_stream(self, source: State, into: State, stream: int) -> None:
        """Copy one stream's part of a value."""
        with self._turn, self._device.current():
            self._device.copy_part(source, into, stream)

    def run_into(self, inputs: Values, into: Mapping[str, State], *, stream: Any = None) -> dict[str, NDArray[Any]]:
        """Run once, with some outputs written to memory that is there already; all is done when it returns.

        Args:
            inputs: by name, arrays, what `allocate` returned, or what another library has on this GPU, of the type that
                the network takes: see `DeviceArray.of`.
            into: by the outputs' names, what `allocate` returned for their types and shapes, or another library's.
            stream: a stream on which another library works on these arrays: what it has queued there comes first. See
                `Device.follow`.

        Returns:
            The other outputs.

        Raises:
            InputError: the stream is none.
            ModelError: an input is missing, or of another shape than the others ask for; an array does not lie where it
                must, or is of another type; or the runner is closed.
            BackendError: a size is not one of the plan's, or TensorRT failed.
        """
        check_open(self.spec, self._context)
        check_inputs(self.spec, self._inputs, inputs)
        with self._turn, self._device.current():
            if stream is not None:
                self._device.follow(stream)
            return self._run(inputs, into)

    def close(self) -> None:
        """Free the GPU's memory; a closed runner runs no more."""
        with self._turn, self._device.current():
            self._launches.forget()
            self._staging.clear()
            self._context = self._engine = self._runtime = None

    def _run(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]]:
        self._resize(inputs)
        there = self._on_gpu(inputs) | self._outputs_on_gpu(into)
        up = [name for name in self._inputs if name not in there]
        down = [name for name in self._outputs if name not in there]
        for name in up:
            cast(inputs[name], self._types[name], self._view(name))
        pointers = {
            name: there[name].pointer if name in there else self._stage(name).device.pointer for name in self._types
        }
        ready = self._is_recordable()
        self._launches.run(tuple(pointers.values()), lambda: self._queue(pointers, up, down), ready=ready)
        self._device.wait()
        return {name: self._fetched(name) for name in down}

    def _check(self, trt: Any) -> None:
        """Refuse a plan that does not fit, or that would run code of its own unasked."""
        record, plan = self._record, self.path
        why = record.misfit(trt.__name__, trt.__version__, self._device.gpu)
        if why is not None:
            raise BackendError(f"plan {plan}: {why}; build it here: {record.rebuild_command(plan)}")
        if record.carries_code and os.environ.get(TRUST_VARIABLE) != "1":
            raise BackendError(
                f"plan {plan}: carries code, which runs when it is loaded; set {TRUST_VARIABLE}=1 if you trust it"
            )

    def _load(self, trt: Any) -> Any:
        """Return the engine."""
        record, plan = self._record, self.path
        if not record.plugin_embedded:
            self._load_plugin(trt)
        if record.carries_code:
            self._runtime.engine_host_code_allowed = True
        engine = self._runtime.deserialize_cuda_engine(plan.read_bytes())
        if engine is None:
            what = f"plan {plan}: TensorRT cannot load it ({self._log.problem})"
            if record.gpu is None and self._device.gpu.capability not in RTX_CAPABILITIES:
                raise BackendError(f"{what}; TensorRT for RTX does not list the {self._device.gpu.name} among its GPUs")
            raise BackendError(f"{what}; build it here: {record.rebuild_command(plan)}")
        return engine

    def _new_context(self, trt: Any) -> Any:
        """Return what runs the engine."""
        if not hasattr(trt, "DynamicShapesKernelSpecializationStrategy"):
            return self._engine.create_execution_context()
        # TensorRT for RTX compiles kernels for a size when it comes; a recording must not hold what runs until then.
        config = self._engine.create_runtime_config()
        config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
        return self._engine.create_execution_context(config)

    def _is_recordable(self) -> bool:
        """Tell whether a run may be recorded; TensorRT for RTX knows."""
        asked = getattr(self._context, "is_stream_capturable", None)
        return asked is None or bool(asked(self._device.stream))

    def _load_plugin(self, trt: Any) -> None:
        """Make the plan's plugin known; a library must be the one that it was built with."""
        record, plan = self._record, self.path
        asked = None if record.plugin == "library" else record.plugin
        plugin = find_plugin(asked, plan.parent, record.plugin)
        if plugin.sha256 != record.plugin_sha256:
            found = "there is none" if plugin.library is None else f"{plugin.library} is another"
            raise BackendError(
                f"plan {plan}: needs the {LIBRARY_NAME} that it was built with, {found}; put it beside the plan, or "
                f"name it by {PLUGIN_VARIABLE}"
            )
        plugin.load(trt)

    def _tensors(self, trt: Any) -> tuple[dict[str, Any], list[str], list[str]]:
        """Return the types of all inputs and outputs, and the names of both."""
        names = [self._engine.get_tensor_name(index) for index in range(self._engine.num_io_tensors)]
        types = {name: np.dtype(trt.nptype(self._engine.get_tensor_dtype(name))) for name in names}
        inputs = [name for name in names if self._engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        return types, inputs, [name for name in names if name not in inputs]

    def _resize(self, inputs: Values) -> None:
        """Tell TensorRT the inputs' shapes, if they are not those of the run before."""
        frames, _, height, width = inputs["frames"].shape
        extent = Extent(frames, width, height)
        if extent == self._extent:
            return
        if extent not in self._record.sizes:
            raise BackendError(
                f"plan {self.path}: takes {self._record.sizes}, got {extent}; build it for that: see --min, --max and "
                "--frames of `ptfan build`"
            )
        self._launches.forget()
        self._extent = None
        self._shapes = self._shapes_at(extent)
        for name in self._inputs:
            if not self._context.set_input_shape(name, self._shapes[name]):
                raise BackendError(f"plan {self.path}: TensorRT refuses {name} at {extent} ({self._log.problem})")
        self._extent = extent

    def _shapes_at(self, extent: Extent) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all inputs and outputs."""
        return self.spec.input_shapes(*extent) | self.spec.output_shapes(*extent)

    def _on_gpu(self, values: Values) -> dict[str, DeviceArray]:
        """Return those values that lie on the GPU; check all."""
        found = {}
        for name in self._types.keys() & values.keys():
            what = f"model {self.spec.name}: {name}"
            array = DeviceArray.of(what, values[name], self._device.index, self._device.stream)
            shape, wanted = tuple(values[name].shape), self._shapes[name]
            if shape != wanted:
                raise ModelError(f"{what} is {shape}, expected {wanted}")
            if array is None:
                continue
            if array.dtype != self._types[name]:
                raise ModelError(f"{what} is {array.dtype} on the GPU, expected {self._types[name]}")
            found[name] = array
        return found

    def _outputs_on_gpu(self, into: Values) -> dict[str, DeviceArray]:
        """Return where outputs are to be written, which must be the GPU."""
        found, model = self._on_gpu(into), f"model {self.spec.name}"
        for name in into:
            if name not in self._outputs:
                raise ModelError(f"{model}: has no output {name}, expected one of {', '.join(self._outputs)}")
            if name not in found:
                raise ModelError(f"{model}: {name} lies on the CPU, expected CUDA device {self._device.index}")
            if found[name].readonly:
                raise ModelError(f"{model}: {name} can only be read, expected an array to write to")
        return found

    def _stage(self, name: str) -> Staging:
        """Return the memory through which a tensor goes up or down, large enough for the plan's largest size."""
        if name not in self._staging:
            shape = self._shapes_at(self._record.sizes.most)[name]
            self._staging[name] = self._device.stage(math.prod(shape) * self._types[name].itemsize)
        return self._staging[name]

    def _view(self, name: str) -> NDArray[Any]:
        """Return that memory's side on the CPU at the size of the run."""
        return self._stage(name).view(self._shapes[name], self._types[name])

    def _fetched(self, name: str) -> NDArray[np.float32]:
        return cast(self._view(name), np.float32, np.empty(self._shapes[name], np.float32))

    def _queue(self, pointers: Mapping[str, int], up: Sequence[str], down: Sequence[str]) -> None:
        """Queue a run: inputs up, the network, outputs down."""
        for name in up:
            self._device.upload(self._stage(name), self._view(name).nbytes)
        for name, pointer in pointers.items():
            self._context.set_tensor_address(name, pointer)
        if not self._context.execute_async_v3(self._device.stream):
            raise BackendError(f"plan {self.path}: TensorRT failed ({self._log.problem})")
        for name in down:
            self._device.download(self._stage(name), self._view(name).nbytes)
