from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ptfan.engine.errors import ModelError
from ptfan.engine.runners.trt import flow_warp_plugin
from ptfan.engine.runners.trt.flow_warp_plugin import VERSION, is_registered, register
from ptfan.engine.spec import FLOW_WARP, FLOW_WARP_DOMAIN

trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")


def fields(**values: Any) -> Any:
    return [SimpleNamespace(name=name, data=value) for name, value in values.items()]


@pytest.fixture(scope="module")
def creator() -> Any:
    register(trt)
    return trt.get_plugin_registry().get_creator(FLOW_WARP, VERSION, FLOW_WARP_DOMAIN)


@pytest.fixture(scope="module")
def make(creator: Any) -> Callable[..., Any]:
    """Return a function that makes plugins as TensorRT does."""

    def create(convention: str, require_nonzero: int) -> Any:
        values = np.frombuffer(convention.encode(), np.int8), np.array([require_nonzero], np.int32)
        return creator.create_plugin("node", flow_warp_plugin._fields(trt, *values), trt.TensorRTPhase.BUILD)

    return create


def test_it_is_registered_once(creator: Any) -> None:
    assert creator is not None
    assert is_registered(trt)
    before = len(flow_warp_plugin._creators)
    register(trt)
    assert len(flow_warp_plugin._creators) == before


def test_attributes_are_read_with_and_without_the_end_of_the_text() -> None:
    for data in (b"tsam", b"tsam\0", np.frombuffer(b"tsam\0", np.int8)):
        assert flow_warp_plugin._attributes(fields(convention=data, require_nonzero=np.array([1]))) == {
            "convention": "tsam",
            "require_nonzero": 1,
        }
    assert flow_warp_plugin._attributes([]) == {"convention": "pixel", "require_nonzero": 0}


@pytest.mark.parametrize(
    ("values", "match"), [({"convention": b"no"}, "'no', expected one of"), ({"require_nonzero": 2}, "is 2")]
)
def test_attributes_that_the_op_does_not_have_are_refused(values: Any, match: str) -> None:
    with pytest.raises(ModelError, match=match):
        flow_warp_plugin._attributes(fields(**values))


@pytest.mark.parametrize(("convention", "require", "outputs"), [("pixel", 0, 1), ("tsam", 0, 2), ("tsam", 1, 2)])
def test_plugins_know_their_outputs_and_what_to_keep(
    make: Callable[..., Any], convention: str, require: int, outputs: int
) -> None:
    plugin = make(convention, require)
    assert plugin.num_outputs == outputs
    kept = {field.name: np.asarray(field.data) for field in plugin.get_fields_to_serialize()}
    assert kept["convention"].tobytes().decode() == convention
    assert int(kept["require_nonzero"][0]) == require
    assert plugin.clone().num_outputs == outputs


def test_flow_stays_fp32_and_features_share_a_layout(make: Callable[..., Any]) -> None:
    plugin = make("pixel", 0)
    linear, hwc8 = trt.TensorFormat.LINEAR, trt.TensorFormat.HWC8
    half, single = trt.DataType.HALF, trt.DataType.FLOAT

    def offered(position: int, *kinds: Any) -> bool:
        tensors = [SimpleNamespace(desc=SimpleNamespace(type=kind, format=layout)) for kind, layout in kinds]
        return bool(plugin.supports_format_combination(position, tensors, 4))

    good = [(half, hwc8), (single, linear), (half, linear), (half, hwc8), (half, hwc8)]
    assert all(offered(position, *good) for position in range(5))
    assert not offered(1, (half, hwc8), (half, linear))
    assert not offered(3, (half, hwc8), (single, linear), (half, linear), (half, linear))
    assert not offered(0, (single, hwc8))
