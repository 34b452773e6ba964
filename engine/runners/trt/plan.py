"""A plan on a GPU: TensorRT's engine, and what runs it at the extents that come."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ptfan.engine.errors import BackendError
from ptfan.engine.runners.trt.device import Device
from ptfan.engine.runners.trt.execution import Execution, Shapes
from ptfan.engine.runners.trt.launches import Recorder
from ptfan.engine.runners.trt.plan_record import PlanRecord
from ptfan.engine.runners.trt.plugin_choice import LIBRARY_NAME, PLUGIN_VARIABLE, find_plugin
from ptfan.engine.runners.trt.runtime_cache import RuntimeCache
from ptfan.engine.runners.trt.sizes import Extent
from ptfan.engine.runners.trt.tensorrt_module import is_rtx, log_of

__all__ = ["TRUST_VARIABLE", "Plan"]

TRUST_VARIABLE = "PTFAN_TRUST_PLANS"
"""Set it to 1 to run plans that carry code."""
RTX_CAPABILITIES = ((7, 5), (8, 0), (8, 6), (8, 9), (12, 0), (12, 1))
"""Compute capabilities that TensorRT for RTX names."""
MOST_EXTENTS = 4
"""Extents of which each keeps a context: streams of several sizes take turns."""


class Plan:
    """A plan that is loaded.

    Attributes:
        types: Of all inputs and outputs, by name.
        inputs: The names of the inputs.
        outputs: The names of the outputs.
    """

    def __init__(self, path: Path, record: PlanRecord, trt: Any, device: Device, recorder: Recorder) -> None:
        """Load it; the device is current.

        Args:
            path: the file.
            record: what lies beside it.
            trt: the TensorRT that built it.
            device: where it is to run.
            recorder: records its runs.

        Raises:
            BackendError: it does not fit the GPU or this TensorRT, or there is no memory for it.
        """
        self._path, self._record, self._trt, self._device, self._recorder = path, record, trt, device, recorder
        self._check()
        self._log = log_of(trt)
        # Contexts run only as long as what they were made by lives.
        self._runtime = trt.Runtime(self._log)
        self._engine = self._load()
        self.types, self.inputs, self.outputs = self._tensors()
        self._cache: RuntimeCache | None = None
        self._strategy = self._how_contexts_are_made()
        # All contexts take turns in one piece of memory, where each of its own accord takes one for the largest extent.
        # TensorRT for RTX asks for it: its plans are built so that no run allocates, or it could not be recorded.
        self._scratch = device.allocate((self._engine.device_memory_size_v2,), np.uint8)
        self._spare: Any = self._new_context()  # what keeps it from running is told now
        self._executions: dict[Extent, Execution] = {}

    def at(self, extent: Extent) -> Execution:
        """Return what runs it at an extent; before it runs, nothing of another may be under way.

        Raises:
            BackendError: the extent is none of the plan's, or TensorRT refuses it.
        """
        execution = self._executions.pop(extent, None) or self._new_execution(extent)
        self._executions[extent] = execution  # as the newest
        return execution

    def shapes_at(self, extent: Extent) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all inputs and outputs."""
        spec = self._record.spec
        return spec.input_shapes(*extent) | spec.output_shapes(*extent)

    def save_cache(self) -> None:
        """Keep what TensorRT has compiled for the next process, if it does such a thing."""
        if self._cache is not None:
            self._cache.save()

    def _check(self) -> None:
        """Refuse a plan that does not fit, or that would run code of its own unasked."""
        record, path = self._record, self._path
        why = record.misfit(self._trt.__name__, self._trt.__version__, self._device.gpu)
        if why is not None:
            raise BackendError(f"plan {path}: {why}; build it here: {record.rebuild_command(path)}")
        if record.carries_code and os.environ.get(TRUST_VARIABLE) != "1":
            raise BackendError(
                f"plan {path}: carries code, which runs when it is loaded; set {TRUST_VARIABLE}=1 if you trust it"
            )

    def _load(self) -> Any:
        """Return the engine."""
        record, path = self._record, self._path
        if not record.plugin_embedded:
            self._load_plugin()
        if record.carries_code:
            self._runtime.engine_host_code_allowed = True
        self._log.clear()
        engine = self._runtime.deserialize_cuda_engine(path.read_bytes())
        if engine is None:
            what = f"plan {path}: TensorRT cannot load it ({self._log.problem})"
            if record.gpu is None and self._device.gpu.capability not in RTX_CAPABILITIES:
                raise BackendError(f"{what}; TensorRT for RTX does not list the {self._device.gpu.name} among its GPUs")
            raise BackendError(f"{what}; build it here: {record.rebuild_command(path)}")
        return engine

    def _load_plugin(self) -> None:
        """Make the plan's plugin known; a library must be the one that it was built with."""
        record, path = self._record, self._path
        asked = None if record.plugin == "library" else record.plugin
        plugin = find_plugin(asked, path.parent, record.plugin)
        if plugin.sha256 != record.plugin_sha256:
            found = "there is none" if plugin.library is None else f"{plugin.library} is another"
            raise BackendError(
                f"plan {path}: needs the {LIBRARY_NAME} that it was built with, {found}; put it beside the plan, or "
                f"name it by {PLUGIN_VARIABLE}"
            )
        plugin.load(self._trt)

    def _tensors(self) -> tuple[dict[str, Any], list[str], list[str]]:
        """Return the types of all inputs and outputs, and the names of both."""
        trt, engine = self._trt, self._engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        types = {name: np.dtype(trt.nptype(engine.get_tensor_dtype(name))) for name in names}
        inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        return types, inputs, [name for name in names if name not in inputs]

    def _how_contexts_are_made(self) -> Any:
        """Return what a context is made by: all are given memory."""
        trt = self._trt
        given = trt.ExecutionContextAllocationStrategy.USER_MANAGED
        if not is_rtx(trt):
            return given
        # TensorRT for RTX compiles kernels for a size when it comes; a recording must not hold what runs until then.
        config = self._engine.create_runtime_config()
        config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
        config.set_execution_context_allocation_strategy(given)
        self._cache = RuntimeCache(self._path, config)
        return config

    def _new_context(self) -> Any:
        self._log.clear()
        context = self._engine.create_execution_context(self._strategy)
        if context is None:
            raise BackendError(f"plan {self._path}: TensorRT makes no context to run it in ({self._log.problem})")
        context.set_device_memory(self._scratch.pointer, self._scratch.nbytes)
        return context

    def _new_execution(self, extent: Extent) -> Execution:
        record, name = self._record, f"plan {self._path}"
        if extent not in record.sizes:
            raise BackendError(
                f"{name}: takes {record.sizes}, got {extent}; build it for that: see --min, --max and --frames of "
                "`ptfan build`"
            )
        if len(self._executions) == MOST_EXTENTS:  # what has not run for the longest time gives its context
            self._spare = self._executions.pop(next(iter(self._executions))).context
        context, self._spare = self._spare or self._new_context(), None
        shapes: Shapes = self.shapes_at(extent)
        return Execution(name, context, self._log, self.inputs, shapes, self._device.stream, self._recorder)
