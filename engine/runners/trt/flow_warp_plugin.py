"""FlowWarp as a TensorRT plugin in Python, for those who have TensorRT from pip: no headers, no compiler.

The plugin of `plugins/` does the same in C++, and is to be preferred where it can be built. This one is registered on
demand, with the module that is given: `tensorrt` or `tensorrt_rtx`.
"""

from __future__ import annotations

from types import new_class
from typing import Any

import numpy as np

from ptfan.engine.errors import ModelError
from ptfan.engine.runners.trt.flow_warp_kernel import CONVENTIONS, THREADS, KernelName, compile_kernels, launch_grid
from ptfan.engine.spec import FLOW_WARP, FLOW_WARP_DOMAIN

__all__ = ["VERSION", "is_registered", "register", "unregister"]

VERSION = "1"
X, FLOW, VALIDITY = range(3)
"""The places of the inputs; the fallback is the fourth."""
FEATURES = (0, 3, 4)
"""The places of x, fallback and y among inputs and outputs: they share one layout."""

_creators: dict[str, Any] = {}  # the registries do not keep them alive


def is_registered(trt: Any) -> bool:
    """Tell whether a creator of the op is known to a TensorRT module, whoever registered it."""
    known = ((creator.name, creator.plugin_namespace) for creator in trt.get_plugin_registry().all_creators)
    return (FLOW_WARP, FLOW_WARP_DOMAIN) in known


def register(trt: Any) -> None:
    """Make the op known to a TensorRT module; once is enough.

    Args:
        trt: the module `tensorrt` (10.3 or later) or `tensorrt_rtx`.
    """
    if is_registered(trt):
        return
    creator = _creator(trt)
    trt.get_plugin_registry().register_creator(creator, FLOW_WARP_DOMAIN)
    _creators[trt.__name__] = creator


def unregister(trt: Any) -> None:
    """Make room for another plugin of this name; what this one has made goes on."""
    creator = _creators.pop(trt.__name__, None)
    if creator is not None:
        trt.get_plugin_registry().deregister_creator(creator)


class _FlowWarp:
    """One node; see `ptfan.export.flow_warp_op` for what it computes. TensorRT's classes are its further bases."""

    trt: Any

    def __init__(self, convention: str, require_nonzero: int) -> None:
        trt = self.trt
        for base in (trt.IPluginV3, trt.IPluginV3OneCore, trt.IPluginV3OneBuild, trt.IPluginV3OneRuntime):
            base.__init__(self)
        self.convention, self.require_nonzero = convention, require_nonzero
        self.plugin_name, self.plugin_version, self.plugin_namespace = FLOW_WARP, VERSION, FLOW_WARP_DOMAIN
        self.num_outputs = 2 if convention == "tsam" or require_nonzero else 1
        # Fields only point to their values, and some releases of TensorRT to the fields.
        self._values = np.frombuffer(convention.encode(), np.int8), np.array([require_nonzero], np.int32)
        self._fields = _fields(trt, *self._values)

    def get_capability_interface(self, kind: Any) -> Any:
        return self

    def clone(self) -> Any:
        return type(self)(self.convention, self.require_nonzero)

    def get_output_data_types(self, input_types: Any) -> list[Any]:
        return [input_types[X]] * self.num_outputs

    def get_output_shapes(self, inputs: Any, shape_inputs: Any, expressions: Any) -> list[Any]:
        return [self.trt.DimsExprs(inputs[place]) for place in (X, VALIDITY)[: self.num_outputs]]

    def supports_format_combination(self, position: int, tensors: Any, num_inputs: int) -> bool:
        tensor, x = tensors[position].desc, tensors[X].desc
        half, single = self.trt.DataType.HALF, self.trt.DataType.FLOAT
        linear, hwc8 = self.trt.TensorFormat.LINEAR, self.trt.TensorFormat.HWC8
        if position == FLOW:
            return bool(tensor.type == single and tensor.format == linear)
        if position == X:
            return (tensor.type, tensor.format) in ((single, linear), (half, linear), (half, hwc8))
        return bool(tensor.type == x.type and tensor.format == (x.format if position in FEATURES else linear))

    def configure_plugin(self, inputs: Any, outputs: Any) -> None:
        pass

    def on_shape_change(self, inputs: Any, outputs: Any) -> None:
        pass

    def attach_to_context(self, context: Any) -> Any:
        return self.clone()

    def get_valid_tactics(self) -> list[int]:
        return []

    def set_tactic(self, tactic: int) -> None:
        pass

    def get_fields_to_serialize(self) -> Any:
        return self._fields

    def enqueue(self, input_desc: Any, output_desc: Any, inputs: Any, outputs: Any, workspace: int, stream: int) -> int:
        x = input_desc[X]
        kernel: KernelName = "linear_fp32" if x.type == self.trt.DataType.FLOAT else "linear_fp16"
        if x.format == self.trt.TensorFormat.HWC8:
            kernel = "hwc8_fp16"
        nonzero = outputs[1] if self.num_outputs == 2 else 0
        attributes = (CONVENTIONS[self.convention], self.require_nonzero)
        _launch(kernel, tuple(x.dims), (*inputs, outputs[0], nonzero), attributes, stream)
        return 0


class _Creator:
    """Makes plugins of a node's attributes, or of what a plan has kept of them."""

    trt: Any
    plugin: Any

    def __init__(self) -> None:
        self.trt.IPluginCreatorV3One.__init__(self)
        self.name, self.plugin_version, self.plugin_namespace = FLOW_WARP, VERSION, FLOW_WARP_DOMAIN
        self.field_names = _fields(self.trt, np.array([], np.int8), np.array([], np.int32))

    def create_plugin(self, name: str, fields: Any, phase: Any) -> Any:
        return self.plugin(**_attributes(fields))


def _creator(trt: Any) -> Any:
    """Return a creator whose classes have the bases of the module that is in use."""
    bases: tuple[Any, ...] = (trt.IPluginV3, trt.IPluginV3OneCore, trt.IPluginV3OneBuild, trt.IPluginV3OneRuntime)
    plugin = new_class("FlowWarpPlugin", (_FlowWarp, *bases), exec_body=lambda body: body.update(trt=trt))
    parts = {"trt": trt, "plugin": plugin}
    return new_class(
        "FlowWarpCreator", (_Creator, trt.IPluginCreatorV3One), exec_body=lambda body: body.update(parts)
    )()


def _fields(trt: Any, convention: Any, require_nonzero: Any) -> Any:
    """Return the op's attributes as TensorRT has them; the arrays must outlive what is returned."""
    kinds = trt.PluginFieldType
    return trt.PluginFieldCollection(
        [
            trt.PluginField("convention", convention, kinds.CHAR),
            trt.PluginField("require_nonzero", require_nonzero, kinds.INT32),
        ]
    )


def _attributes(fields: Any) -> dict[str, Any]:
    """Read a node's attributes.

    Raises:
        ModelError: one of them is not what the op has.
    """
    values = {field.name: field.data for field in fields}
    convention = np.asarray(values.get("convention", b"pixel"))
    text = convention.tobytes().split(b"\0")[0].decode()  # some callers count the end of the text, others do not
    require = int(np.asarray(values.get("require_nonzero", 0)).reshape(-1)[0])
    if text not in CONVENTIONS:
        raise ModelError(f"FlowWarp: convention is {text!r}, expected one of {', '.join(CONVENTIONS)}")
    if require not in (0, 1):
        raise ModelError(f"FlowWarp: require_nonzero is {require}, expected 0 or 1")
    return {"convention": text, "require_nonzero": require}


def _launch(
    kernel: KernelName, dims: tuple[int, ...], pointers: tuple[int, ...], attributes: tuple[int, int], stream: int
) -> None:
    """Launch on a stream of the current device."""
    from cuda.core import Device, LaunchConfig, Stream, launch

    device = Device()
    device.set_current()
    frames, channels, height, width = dims
    grid = launch_grid(kernel, frames, channels, height, width, nonzero=pointers[-1] != 0)
    function = compile_kernels(f"sm_{device.arch}").get_kernel(f"ptfan_flow_warp_{kernel}")
    numbers = [np.int32(value) for value in (*dims, *attributes)]
    arguments = [np.uint64(pointer) for pointer in pointers]
    launch(Stream.from_handle(stream), LaunchConfig(grid=grid, block=THREADS), function, *arguments, *numbers)
