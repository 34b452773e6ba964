"""FlowWarp in OpenVINO's operators: its reader of ONNX inlines no functions, but asks for a conversion of unknown ops.

Made as the function in `ptfan.export.flow_warp_op`, which is what ONNX Runtime computes; tests hold one to the other.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ptfan.engine.runners.ov.openvino_module import import_openvino
from ptfan.engine.spec import FLOW_WARP, FLOW_WARP_DOMAIN

__all__ = ["flow_warp_extension"]

OPSET = "openvino.opset15"
SAMPLING = {"mode": "bilinear", "padding_mode": "zeros", "align_corners": False}
CHANNELS, ROWS, COLUMNS = np.int64(1), np.int64(2), np.int64(3)
"""The axes of an (N, C, H, W) tensor."""
CHANNELS_LAST = np.array([0, 2, 3, 1])
NONE, HALF, ONE, TWO = map(np.float32, (0.0, 0.5, 1.0, 2.0))
FAR = np.float32(4)
"""Outside of the picture, whose edges are -1 and 1."""


def flow_warp_extension() -> Any:
    """Return what makes the op known to OpenVINO's `Core`."""
    onnx = import_openvino("openvino.frontend.onnx")
    return onnx.ConversionExtension(FLOW_WARP, FLOW_WARP_DOMAIN, partial(_convert, import_openvino(OPSET)))


def _convert(ops: Any, node: Any) -> list[Any]:
    """Return a node's outputs, y and nonzero; what the one that nobody reads is made of is dropped."""
    x, flow, validity, fallback = (node.get_input(place) for place in range(4))
    grid = _grid(ops, flow, node.get_attribute("convention"))
    valid = ops.greater(ops.convert(validity, "f32"), HALF)
    warped = ops.grid_sample(ops.convert(x, "f32"), grid, SAMPLING)
    nonzero = ops.not_equal(ops.reduce_sum(warped, CHANNELS, True), NONE)
    if node.get_attribute("require_nonzero"):
        y = ops.select(ops.logical_and(valid, nonzero), ops.convert_like(warped, x), fallback)
    else:
        y = _plain(ops, x, grid, valid, fallback)
    return [y.output(0), ops.convert_like(nonzero, x).output(0)]


def _grid(ops: Any, flow: Any, convention: str) -> Any:
    """Return where the pixels sample, (N, H, W, 2)."""
    u, v = ops.split(flow, CHANNELS, 2).outputs()
    shape = ops.shape_of(flow, "i64")
    x_rest, width = _axis(ops, ops.gather(shape, COLUMNS, np.int64(0)), convention)
    y_rest, height = _axis(ops, ops.gather(shape, ROWS, np.int64(0)), convention)
    x_grid = ops.add(x_rest, ops.multiply(ops.divide(u, width), TWO))
    y_grid = ops.add(ops.unsqueeze(y_rest, np.int64(1)), ops.multiply(ops.divide(v, height), TWO))
    return ops.transpose(ops.concat([x_grid, y_grid], 1), CHANNELS_LAST)


def _axis(ops: Any, count: Any, convention: str) -> tuple[Any, Any]:
    """Return where the pixels of an axis sample when the flow is zero, and how many they are, in fp32."""
    twice = ops.multiply(ops.convert(ops.range(np.int64(0), count, np.int64(1), "i64"), "f32"), TWO)
    size = ops.convert(count, "f32")
    if convention == "pixel":
        share = ops.divide(ops.add(twice, ONE), size)
    else:
        share = ops.divide(twice, ops.maximum(ops.subtract(size, ONE), ONE))
    return ops.subtract(share, ONE), size


def _plain(ops: Any, x: Any, grid: Any, valid: Any, fallback: Any) -> Any:
    """Return y where zeros count: what is not valid samples outside of the picture, which gives zero, plus fallback."""
    chosen = ops.select(ops.transpose(valid, CHANNELS_LAST), grid, FAR)
    warped = ops.grid_sample(ops.convert(x, "f32"), chosen, SAMPLING)
    invalid = ops.subtract(ONE, ops.convert(valid, "f32"))
    kept = ops.multiply(fallback, ops.convert_like(invalid, x))
    return ops.add(ops.convert_like(warped, x), kept)
