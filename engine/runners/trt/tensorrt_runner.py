"""The TensorRT backend: plans that `ptfan build` made, with a stream's states kept on the GPU."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, ModelError
from ptfan.engine.runners.half import cast
from ptfan.engine.runners.runner import DTYPES, BoundRunner, State, Values
from ptfan.engine.runners.trt.device import Device, Staging
from ptfan.engine.runners.trt.device_array import DeviceArray
from ptfan.engine.runners.trt.execution import Execution, Shapes
from ptfan.engine.runners.trt.launches import Recorder
from ptfan.engine.runners.trt.plan import Plan
from ptfan.engine.runners.trt.plan_record import read_record
from ptfan.engine.runners.trt.sizes import Extent
from ptfan.engine.runners.trt.tensorrt_module import import_tensorrt
from ptfan.engine.spec import Precision

__all__ = ["TensorRTRunner"]

ALIGNMENT = 256
"""Bytes: TensorRT takes addresses that are multiples of it."""


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
        record = read_record(plan)
        super().__init__(plan, record.sized_spec)
        # What one thread queues while another records would become part of the recording.
        self._turn = threading.RLock()
        trt = import_tensorrt(record.tensorrt)
        self._device = Device(gpu)
        self._recorder = Recorder(self._device, f"plan {plan}")
        with self._device.current():
            self._plan: Any = Plan(plan, record, trt, self._device, self._recorder)
        self._types, self._inputs, self._outputs = self._plan.types, self._plan.inputs, self._plan.outputs
        self._most: Shapes = self._plan.shapes_at(record.sizes.most)
        self._execution: Execution | None = None
        self._shapes: Shapes = {}
        self._staging: dict[str, Staging] = {}

    @property
    def backend(self) -> str:
        """The backend and where it computes."""
        recordable = self._execution is None or self._execution.recordable
        graphs = ", CUDA graphs" if self._recorder.works and recordable else ""
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
        self._check_ready(self._plan, self._inputs, inputs)
        with self._turn, self._device.current():
            if stream is not None:
                self._device.follow(stream)
            return self._run(inputs, into)

    def close(self) -> None:
        """Free the GPU's memory; a closed runner runs no more."""
        # A GPU that has failed has told so, which what it says now must not hide.
        with self._turn, suppress(BackendError), self._device.current():
            if self._plan is not None:
                self._plan.save_cache()
            self._staging.clear()
            self._plan = self._execution = None

    def _run(self, inputs: Values, into: Mapping[str, State]) -> dict[str, NDArray[Any]]:
        frames, _, height, width = inputs["frames"].shape
        execution = self._execution = self._plan.at(Extent(frames, width, height))
        self._shapes = execution.shapes
        there = self._on_gpu(inputs) | self._outputs_on_gpu(into)
        up = [name for name in self._inputs if name not in there]
        down = [name for name in self._outputs if name not in there]
        for name in up:
            cast(inputs[name], self._types[name], self._view(name))
        pointers = {
            name: there[name].pointer if name in there else self._stage(name).device.pointer for name in self._types
        }
        try:
            execution.run(pointers, partial(self._upload, up), partial(self._download, down))
            self._device.wait()
        except BaseException:
            with suppress(BackendError):  # what goes up may still be read, and the next run overwrites it
                self._device.wait()
            raise
        return {name: self._fetched(name) for name in down}

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
            if array is not values[name]:
                self._check_foreign(what, array.pointer)
            found[name] = array
        return found

    def _check_foreign(self, what: str, pointer: int) -> None:
        """Refuse another library's memory that would not be found, or that TensorRT would not take."""
        self._device.check_home(what, pointer)
        if pointer % ALIGNMENT:
            raise ModelError(
                f"{what} lies at an address that is no multiple of {ALIGNMENT}, a part of a larger array for instance; "
                "give a copy of its own"
            )

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
            nbytes = math.prod(self._most[name]) * self._types[name].itemsize
            self._staging[name] = self._device.stage(nbytes)
        return self._staging[name]

    def _view(self, name: str) -> NDArray[Any]:
        """Return that memory's side on the CPU at the size of the run."""
        return self._stage(name).view(self._shapes[name], self._types[name])

    def _fetched(self, name: str) -> NDArray[np.float32]:
        return cast(self._view(name), np.float32, np.empty(self._shapes[name], np.float32))

    def _upload(self, names: Sequence[str]) -> None:
        for name in names:
            self._device.upload(self._stage(name), self._view(name).nbytes)

    def _download(self, names: Sequence[str]) -> None:
        for name in names:
            self._device.download(self._stage(name), self._view(name).nbytes)
