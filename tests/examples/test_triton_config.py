from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.models import find_model
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.runners.trt.plan_record import PlanRecord
from ptfan.engine.runners.trt.sizes import SizeRange


@pytest.fixture(scope="module")
def example(load_script: Callable[[str], ModuleType]) -> Any:
    """Return the script as a module."""
    return load_script("examples/triton_config.py")


def record(model: str) -> PlanRecord:
    spec = read_spec(find_model(model))
    return PlanRecord(
        spec=spec,
        model=model,
        model_sha256="",
        plan_sha256="",
        ptfan="0.1.0",
        tensorrt="tensorrt",
        tensorrt_version="10.3.0",
        gpu=None,
        sizes=SizeRange.of(spec, frames=4),
        plugin="library",
    )


def test_every_tensor_has_its_shape_and_type(example: Any) -> None:
    built = record("s-live")
    spec = replace(
        built.spec, precision="fp16", carried=tuple(replace(it, precision="fp16") for it in built.spec.carried)
    )
    text = example.triton_config(replace(built, spec=spec), 432, 240)
    assert "max_batch_size: 4" in text
    pattern = r'(?:^  \{ |output_)name: "([^"]+)".*?data_type: TYPE_(\w+) dims: \[ ([\d, ]+) \]'
    found = {
        name: (kind, tuple(map(int, dims.split(",")))) for name, kind, dims in re.findall(pattern, text, re.MULTILINE)
    }
    shapes = spec.input_shapes(1, 432, 240) | spec.output_shapes(1, 432, 240)
    wanted = {name: shape[1:] for name, shape in shapes.items() if not name.endswith(".1")}
    assert {name: dims for name, (_, dims) in found.items()} == wanted
    assert {name for name, (kind, _) in found.items() if kind == "FP32"} == {"flow_forward", "flow_backward", "live"}
    assert set(re.findall(r'input_name: "([^"]+)" output_name: "([^"]+)"', text)) == {
        (f"{item.name}.1", item.name) for item in spec.carried
    }


def test_models_that_triton_cannot_serve(example: Any) -> None:
    for model in ("s", "s-window"):
        with pytest.raises(InputError, match="expected a model without lookahead"):
            example.triton_config(record(model), 432, 240)


@pytest.mark.parametrize("size", [(433, 240), (432, 8), (1280, 240)])
def test_sizes_that_the_plan_does_not_take(size: tuple[int, int], example: Any) -> None:
    with pytest.raises(
        InputError, match=rf"^size is {size[0]}x{size[1]}, the plan takes 1 x 64x64 to 4 x 864x480, mult"
    ):
        example.triton_config(record("s-live"), *size)
