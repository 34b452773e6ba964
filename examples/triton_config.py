"""Print the configuration with which Triton serves a plan of a model without lookahead, a client a stream.

Usage: python examples/triton_config.py s-live.plan 432x240 > models/s-live/config.pbtxt

Triton keeps the states from frame to frame itself; clients send what `ModelSpec` calls the step graph's inputs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ptfan.engine.commands.values import parse_pixels
from ptfan.engine.errors import InputError
from ptfan.engine.runners.trt.plan_record import PlanRecord, read_record
from ptfan.engine.runners.trt.sizes import Extent
from ptfan.engine.spec import Precision

TYPES: dict[Precision, str] = {"fp32": "TYPE_FP32", "fp16": "TYPE_FP16"}


def triton_config(record: PlanRecord, width: int, height: int) -> str:
    """Return the text of config.pbtxt.

    Args:
        record: the plan's.
        width: of the frames that clients send, pixels.
        height: likewise.

    Raises:
        InputError: Triton cannot keep the model's states: it hands them on to the very next frame alone; or the plan
            takes no frames of that size.
    """
    spec = record.spec
    if spec.form != "step" or any(item.delays != (1,) for item in spec.carried):
        raise InputError(f"model {spec.name}: Triton keeps states for one step, expected a model without lookahead")
    multiple, extent = spec.size_multiple, Extent(record.sizes.least.frames, width, height)
    if extent not in record.sizes or width % multiple or height % multiple:
        raise InputError(f"size is {width}x{height}, the plan takes {record.sizes}, multiples of {multiple}")
    shapes = spec.input_shapes(1, width, height)
    states = {name: item for item in spec.carried for name in item.inputs.values()}
    kinds = {name: TYPES["fp32" if name.startswith(("flow", "live")) else spec.precision] for name in shapes}
    inputs = [_tensor(name, kinds[name], shape[1:]) for name, shape in shapes.items() if name not in states]
    kept = []
    for name, item in states.items():
        kind, dims = TYPES[item.precision], _list(shapes[name][1:])
        zeros = f'initial_state {{ name: "zeros" data_type: {kind} dims: {dims} zero_data: true }}'
        kept.append(f'{{ input_name: "{name}" output_name: "{item.name}" data_type: {kind} dims: {dims} {zeros} }}')
    fill = _tensor("fill", TYPES[spec.precision], (3, height, width))
    return (
        f'name: "{spec.name}"\nbackend: "tensorrt"\ndefault_model_filename: "model.plan"\n'
        f"max_batch_size: {record.sizes.most.frames}\n"
        f"input [\n  {_lines(inputs)}\n]\noutput [\n  {fill}\n]\n"
        f"sequence_batching {{\n state [\n  {_lines(kept)}\n ]\n}}\n"
    )


def _tensor(name: str, kind: str, dims: Sequence[int]) -> str:
    return f'{{ name: "{name}" data_type: {kind} dims: {_list(dims)} }}'


def _list(dims: Sequence[int]) -> str:
    return f"[ {', '.join(map(str, dims))} ]"


def _lines(items: Sequence[str]) -> str:
    return ",\n  ".join(items)


if __name__ == "__main__":
    plan, size = sys.argv[1:]
    print(triton_config(read_record(Path(plan)), *parse_pixels(size)), end="")
