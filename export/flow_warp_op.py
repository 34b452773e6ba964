"""`ai.ptfan::FlowWarp`: one node for the warp along the flow, and a body in standard operators for those who lack it.

The node's inputs are x (N, C, H, W), flow (N, 2, H, W) in pixels and fp32, validity (N, 1, H, W) and fallback
(N, C, H, W). Its outputs are y (N, C, H, W) and, only where somebody reads it, nonzero (N, 1, H, W): a kernel that does
not have to give it never has to add up channels. `ptfan.training.model.align.flow_warp` says what they mean.

A runtime that has a kernel of that name takes it; all others inline the function that the model file carries.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ptfan.engine.spec import FLOW_WARP, FLOW_WARP_DOMAIN, WarpConvention

if TYPE_CHECKING:
    import onnx
    from torch import Tensor

__all__ = ["OPSET", "attach_flow_warp", "flow_warp_function", "symbolic_flow_warp"]

OP_VERSION = 1
OPSET = 18
"""The version of the standard operators, in the graph and in the function."""

AXES = {
    "pixel": """
  {axis}_twice = Mul (two, {axis}_index)
  {axis}_centre = Add ({axis}_twice, one)
  {axis}_share = Div ({axis}_centre, {size})
  {axis}_rest = Sub ({axis}_share, one)""",
    # A side of one pixel has no steps: torch.linspace(-1, 1, 1) is -1.
    "tsam": """
  {axis}_twice = Mul (two, {axis}_index)
  {axis}_last = Sub ({size}, one)
  {axis}_steps = Max ({axis}_last, one)
  {axis}_share = Div ({axis}_twice, {axis}_steps)
  {axis}_rest = Sub ({axis}_share, one)""",
}
"""Where the pixels of one axis sample when the flow is zero; -1 and 1 are the picture's edges."""

GRID = """
  zero = Constant <value = float {{0}}> ()
  half = Constant <value = float {{0.5}}> ()
  one = Constant <value = float {{1}}> ()
  two = Constant <value = float {{2}}> ()
  channels = Constant <value = int64[1] {{1}}> ()
  start = Constant <value = int64 {{0}}> ()
  step = Constant <value = int64 {{1}}> ()
  shape = Shape <start = 2, end = 4> (flow)
  rows_1, columns_1 = Split <axis = 0, num_outputs = 2> (shape)
  rows = Squeeze (rows_1)
  columns = Squeeze (columns_1)
  height = Cast <to = 1> (rows)
  width = Cast <to = 1> (columns)
  x_count = Range (start, columns, step)
  y_count = Range (start, rows, step)
  x_index = Cast <to = 1> (x_count)
  y_index = Cast <to = 1> (y_count){axes}
  y_column = Unsqueeze (y_rest, channels)
  u, v = Split <axis = 1, num_outputs = 2> (flow)
  u_share = Div (u, width)
  v_share = Div (v, height)
  u_grid = Mul (u_share, two)
  v_grid = Mul (v_share, two)
  x_grid = Add (x_rest, u_grid)
  y_grid = Add (y_column, v_grid)
  planes = Concat <axis = 1> (x_grid, y_grid)
  grid = Transpose <perm = [0, 2, 3, 1]> (planes)
  validity_32 = Cast <to = 1> (validity)
  valid = Greater (validity_32, half)
  x_32 = Cast <to = 1> (x)"""
"""The sampling grid (N, H, W, 2), in fp32 whatever the features' type. Equal for all layers of a size: a runtime that
eliminates common subexpressions computes it once."""

PLAIN = """
  far = Constant <value = float {{4}}> ()
  valid_last = Transpose <perm = [0, 2, 3, 1]> (valid)
  valid_grid = Where (valid_last, grid, far)
  warped = GridSample <mode = "bilinear", padding_mode = "zeros", align_corners = 0> (x_32, valid_grid)
  warped_like = CastLike (warped, x)
  valid_32 = Cast <to = 1> (valid)
  invalid_32 = Sub (one, valid_32)
  invalid = CastLike (invalid_32, x)
  kept = Mul (fallback, invalid)
  y = Add (warped_like, kept)"""
"""Without the second output. Invalid pixels sample outside of the picture, where all is zero, and get the fallback
added: cheaper than choosing between two large tensors, and exact."""

NONZERO = """
  warped = GridSample <mode = "bilinear", padding_mode = "zeros", align_corners = 0> (x_32, grid)
  sum = ReduceSum <keepdims = 1> (warped, channels)
  is_zero = Equal (sum, zero)
  is_nonzero = Not (is_zero)
  nonzero = CastLike (is_nonzero, x)
  required = Constant <value_int: int = @require_nonzero> ()
  is_required = Cast <to = 9> (required)
  is_free = Not (is_required)
  passes = Or (is_nonzero, is_free)
  usable = And (valid, passes)
  warped_like = CastLike (warped, x)
  y = Where (usable, warped_like, fallback)"""
"""With the second output, which is of the warped channels whether the flow is valid or not."""


def flow_warp_function(convention: WarpConvention, *, nonzero: bool) -> onnx.FunctionProto:
    """Return the op as a function of standard operators.

    Args:
        convention: where a warp samples.
        nonzero: with the second output, and heeding `require_nonzero`; without, that attribute must be 0.
    """
    from onnx import parser

    axes = "".join(AXES[convention].format(axis=axis, size=size) for axis, size in (("x", "width"), ("y", "height")))
    outputs = "y, nonzero" if nonzero else "y"
    body = (GRID + (NONZERO if nonzero else PLAIN)).format(axes=axes)
    return parser.parse_function(
        f'<opset_import: ["" : {OPSET}], domain: "{FLOW_WARP_DOMAIN}">\n'
        f"{FLOW_WARP} <convention, require_nonzero, plugin_namespace> (x, flow, validity, fallback) => ({outputs})\n"
        f"{{{body}\n}}"
    )


@contextmanager
def symbolic_flow_warp() -> Iterator[None]:
    """Trace the model's warp as one FlowWarp node, for as long as the context lives."""
    from ptfan.training.model import align

    reference = align.flow_warp
    align.flow_warp = _symbolic  # type: ignore[assignment]
    try:
        yield
    finally:
        align.flow_warp = reference


def attach_flow_warp(model: onnx.ModelProto) -> int:
    """Put the function beside the nodes, and on each node the namespace in which TensorRT looks for a plugin.

    Only after the graph is exported and optimised: those steps would inline the function.

    Returns:
        The number of nodes.
    """
    from onnx import helper

    nodes = [node for node in model.graph.node if (node.domain, node.op_type) == (FLOW_WARP_DOMAIN, FLOW_WARP)]
    kinds = {(helper.get_node_attr_value(node, "convention").decode(), len(node.output) > 1) for node in nodes}
    assert len(kinds) <= 1, f"a function has one body, but there are FlowWarp nodes of the kinds {sorted(kinds)}"
    for node in nodes:
        node.attribute.append(helper.make_attribute("plugin_namespace", FLOW_WARP_DOMAIN))
    for convention, nonzero in kinds:
        model.functions.append(flow_warp_function(convention, nonzero=nonzero))
    return len(nodes)


def _symbolic(
    x: Tensor,
    flow: Tensor,
    validity: Tensor,
    fallback: Tensor,
    convention: WarpConvention = "pixel",
    require_nonzero: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Stand for the node while a graph is traced. `nonzero` is None under the convention that never reads it."""
    from torch.onnx import ops

    # A plugin has one type for all but the flow; validity comes in fp32 where it is computed from what streams live.
    inputs = (x, flow, validity.to(x.dtype), fallback)
    attributes: dict[str, Any] = {"convention": convention, "require_nonzero": int(require_nonzero)}
    if convention == "pixel" and not require_nonzero:
        name = f"{FLOW_WARP_DOMAIN}::{FLOW_WARP}"
        return ops.symbolic(name, inputs, attributes, dtype=x.dtype, shape=x.shape, version=OP_VERSION), None
    y, nonzero = ops.symbolic_multi_out(
        f"{FLOW_WARP_DOMAIN}::{FLOW_WARP}",
        inputs,
        attributes,
        dtypes=(x.dtype, x.dtype),
        shapes=(x.shape, validity.shape),
        version=OP_VERSION,
    )
    return y, nonzero
