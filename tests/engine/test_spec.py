from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.errors import ModelError
from ptfan.engine.prepare.window import Windower
from ptfan.engine.spec import ModelSpec, StateSpec

SPEC: dict[str, Any] = {"name": "s", "window": 15, "stride": 9, "lookahead": 11}
CARRIED = (
    StateSpec(name="own_1", channels=24, size=4, delays=(1,)),
    StateSpec(name="forward_8", channels=3, size=8, delays=(1, 4), precision="fp32"),
)


@st.composite
def specs(draw: st.DrawFn) -> ModelSpec:
    window = draw(st.integers(1, 40))
    form: Any = draw(st.sampled_from(["clip", "step"]))
    return ModelSpec(
        name=draw(st.text(max_size=8).filter(str.isprintable)),
        form=form,
        carried=CARRIED if form == "step" else (),
        precision=draw(st.sampled_from(["fp32", "fp16"])),
        window=window,
        stride=draw(st.integers(1, window)),
        lookahead=draw(st.integers(0, 30)),
        fixed_window=draw(st.none() | st.integers(1, 40)),
        fixed_size=draw(st.none() | st.sampled_from([(432, 240), (8, 1024)])),
        smallest_size=draw(st.none() | st.just((8, 16))),
        largest_size=draw(st.none() | st.just((432, 240))),
        warp=draw(st.sampled_from(["pixel", "tsam"])),
        fill=draw(st.sampled_from(["zero", "propagated"])),
        working_size=draw(st.sampled_from([(432, 240), (864, 480)])),
        parameters=draw(st.integers(0, 10**9)),
        weights_sha256=draw(st.text("0123456789abcdef", max_size=64)),
    )


@settings(max_examples=50, deadline=None)
@given(specs())
def test_comes_back_from_json_as_it_was(spec: ModelSpec) -> None:
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_fields_left_out_take_their_defaults() -> None:
    assert ModelSpec.from_json(json.dumps(SPEC)) == ModelSpec(**SPEC)


def test_a_form_is_checked_against_those_that_are_expected() -> None:
    spec = ModelSpec(**SPEC)
    spec.check_form("step", spec.form)
    with pytest.raises(ModelError, match=f"model {spec.name} is of the {spec.form} form, expected flow or colour$"):
        spec.check_form("flow", "colour")


def test_the_json_is_one_flat_object() -> None:
    spec = ModelSpec(**SPEC)
    assert json.loads(spec.to_json()) == json.loads(json.dumps(asdict(spec)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"form": "frame"}, "form is 'frame', expected one of clip, step"),
        ({"precision": "int8"}, "precision is 'int8'"),
        ({"warp": "none"}, "warp is 'none'"),
        ({"fill": "grey"}, "fill is 'grey'"),
        ({"stride": 0}, "stride is 0, expected a whole number from 1"),
        ({"window": 10**30}, f"window is {10**30}, expected a whole number from 1 to"),
        ({"lookahead": None}, "lookahead is None, expected a whole number"),
        ({"stride": 16}, "stride is 16, expected 1 to window"),
        ({"size_multiple": 0}, "size_multiple is 0"),
        ({"fixed_window": 0}, "fixed_window is 0"),
        ({"name": "s\x1b[2J"}, r"name is 's\x1b[2J', expected a name that can be shown"),
        ({"fixed_size": (100, 64)}, "fixed_size is (100, 64), expected multiples of 8"),
        ({"fixed_size": (0, 64)}, "a side of fixed_size is 0, expected a whole number from 1 to 65536"),
        ({"working_size": (-432, 240)}, "a side of working_size is -432"),
        ({"smallest_size": (64, 1 << 20)}, "a side of smallest_size is 1048576"),
        ({"largest_size": (-8, 8)}, "a side of largest_size is -8"),
        ({"version": 2}, "version 2, this ptfan reads version 1"),
    ],
)
def test_refuses_what_is_out_of_range(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelSpec(**{**SPEC, **change})
    assert reason in str(caught.value)
    with pytest.raises(ModelError) as caught:
        ModelSpec.from_json(json.dumps({**SPEC, **change}))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "5",
        "null",
        "{}",
        json.dumps({**SPEC, "colour": 1}),
        json.dumps({**SPEC, "window": "15"}),
        json.dumps({**SPEC, "fixed_size": 8}),
        json.dumps({**SPEC, "working_size": [1, 2, 3]}),
    ],
)
def test_refuses_what_is_no_spec_in_one_line(text: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelSpec.from_json(text)
    assert "\n" not in str(caught.value)
    assert "model spec" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": 0}, "size is 0, expected a whole number from 1"),
        ({"channels": 10**9}, "channels is 1000000000, expected a whole number from 1 to"),
        ({"channels": "x"}, "channels is 'x', expected a whole number"),
        ({"delays": []}, "number of delays is 0"),
        ({"delays": [0]}, "delay is 0"),
        ({"precision": "fp8"}, "precision is 'fp8', expected one of fp32, fp16"),
        ({"name": 5}, "name is 5, expected a text"),
    ],
)
def test_what_is_carried_must_make_sense(change: dict[str, Any], reason: str) -> None:
    state = {"name": "a", "channels": 4, "size": 8, "delays": [1], **change}
    step = {**SPEC, "form": "step", "frames_ahead": 0, "lead": 1, "carried": [state]}
    with pytest.raises(ModelError, match="model spec: ") as caught:
        ModelSpec.from_json(json.dumps(step))
    assert reason in str(caught.value)


def test_what_a_step_graph_carries_is_written_and_read() -> None:
    step: dict[str, Any] = {**SPEC, "form": "step", "frames_ahead": 0, "lead": 1, "fixed_streams": 2}
    spec = ModelSpec(**step, carried=CARRIED)
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert spec.carried[1].inputs == {1: "forward_8.1", 4: "forward_8.4"}
    assert spec.carried[0].bytes(432, 240) == 24 * 108 * 60 * 4


@pytest.mark.parametrize(("form", "carried"), [("step", ()), ("clip", CARRIED)])
def test_only_a_step_graph_carries(form: Any, carried: tuple[StateSpec, ...]) -> None:
    with pytest.raises(ModelError, match=f"form is {form}, but (no|some)thing is carried"):
        ModelSpec(**SPEC, form=form, carried=carried)


@given(st.integers(1, 12), st.data())
def test_the_delay_is_how_long_the_windows_make_a_frame_wait(window: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, window))
    ahead = data.draw(st.none() | st.integers(0, window - stride))
    windower: Windower[int] = Windower(window, stride, ahead)
    waited = [
        t - found.items[place]
        for t in range(4 * window)
        if (found := windower.push(t)) is not None
        for place in found.keep
    ]
    spec = ModelSpec(name="m", window=window, stride=stride, frames_ahead=ahead, lookahead=5)
    assert spec.delay == max(waited)


def test_the_delay_is_how_many_frames_must_follow() -> None:
    step: dict[str, Any] = {"name": "m", "form": "step", "carried": CARRIED}
    assert ModelSpec(**step, window=30, stride=24, lookahead=11).delay == 23 + 3 + 11
    assert ModelSpec(**step, window=13, stride=1, frames_ahead=0, lookahead=0).delay == 0
    with pytest.raises(ModelError, match="frames_ahead is 3, expected 0 to window - stride"):
        ModelSpec(**step, window=3, stride=1, frames_ahead=3, lookahead=0)
