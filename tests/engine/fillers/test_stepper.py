from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.errors import ModelError
from ptfan.engine.fillers.stepper import StateRing, Stepper, step_inputs
from ptfan.engine.spec import CLIP_INPUTS, ModelSpec, StateSpec
from tests.engine.conftest import make_clip


def memory() -> Any:
    """Return what a runner keeps values in, as arrays."""

    def copy_stream(source: NDArray[np.float32], into: NDArray[np.float32], stream: int) -> None:
        into[stream] = source[stream]

    return SimpleNamespace(allocate=lambda shape, precision: np.zeros(shape, np.float32), copy_stream=copy_stream)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True), st.integers(0, 4), st.integers(1, 20))
def test_a_ring_gives_back_what_was_written_so_many_steps_ago(delays: list[int], more: int, steps: int) -> None:
    state = StateSpec(name="x", channels=1, size=1, delays=tuple(delays))
    ring = StateRing(memory(), state, (1, 1, 1, 1), max(delays) + 1 + more)
    written = [0.0] * max(delays)
    for step in range(steps):
        read = ring.inputs()
        assert {name: float(array[0, 0, 0, 0]) for name, array in read.items()} == {
            f"x.{delay}": written[-delay] for delay in delays
        }
        output = ring.output()
        assert not any(np.shares_memory(output, array) for array in read.values())
        output[:] = step + 1.0
        written.append(step + 1.0)
        ring.advance()


def test_a_frame_is_answered_when_its_lookahead_is_over(step_runner: Any) -> None:
    inputs, stepper = make_clip(5), Stepper(step_runner(), 8, 16)
    fills = [stepper.push(step_inputs(inputs, t), [t < 5]) for t in range(6)][stepper.delay :]
    pictures = list(inputs["frames"])
    for t, fill in enumerate(fills):
        np.testing.assert_allclose(fill[0], step_runner.expected(pictures, t), rtol=1e-6)


@pytest.mark.parametrize("flushed", [True, False])
def test_a_slot_that_is_reset_knows_nothing_of_the_stream_before(step_runner: Any, flushed: bool) -> None:
    stepper = Stepper(step_runner(), 8, 16)
    for t in range(4 if flushed else 3):
        stepper.push(step_inputs(make_clip(3), t), [t < 3])
    stepper.reset()
    second = make_clip(2, seed=1)
    fills = [stepper.push(step_inputs(second, t), [t < 2])[0] for t in range(3)][1:]
    for t, fill in enumerate(fills):
        np.testing.assert_allclose(fill, step_runner.expected(list(second["frames"]), t), rtol=1e-6)


def test_streams_of_one_batch_come_and_go_as_they_like(step_runner: Any) -> None:
    stepper = Stepper(step_runner(), 8, 16, streams=2)
    clips, starts = (make_clip(6), make_clip(3, seed=1)), (0, 2)
    for n in range(8):
        parts = [step_inputs(inputs, n - start) for inputs, start in zip(clips, starts, strict=True)]
        batch = {name: np.concatenate([part[name] for part in parts]) for name in CLIP_INPUTS}
        live = [0 <= n - start < len(inputs["frames"]) for inputs, start in zip(clips, starts, strict=True)]
        fill = stepper.push(batch, live)
        for slot, (inputs, start) in enumerate(zip(clips, starts, strict=True)):
            t, pictures = n - start - 1, list(inputs["frames"])
            if 0 <= t < len(pictures):
                np.testing.assert_allclose(fill[slot], step_runner.expected(pictures, t), rtol=1e-6)


def test_a_forward_flow_comes_with_the_frame_that_it_leads_to() -> None:
    inputs = make_clip(3)
    for t in range(5):
        step = step_inputs(inputs, t)
        assert all(array.shape[0] == 1 for array in step.values())
        for name, array in step.items():
            at = t - 1 if name in ("flow_forward", "validity_forward") else t
            assert np.array_equal(array[0], inputs[name][at]) if 0 <= at < 3 else not array.any()


def test_only_step_models_at_their_multiples(step_runner: Any, runner: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match="is of the clip form, expected step"):
        Stepper(runner(), 8, 16)
    with pytest.raises(ModelError, match="frames are 20x8, expected multiples of 8"):
        Stepper(step_runner(), 8, 20)
    with pytest.raises(ModelError, match="takes 2 streams at a time, got 1; export it for any number"):
        Stepper(step_runner(fixed_streams=2), 8, 16)
    Stepper(step_runner(fixed_streams=2), 8, 16, streams=2)


@given(st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True), min_size=1, max_size=5))
def test_all_rings_come_round_together(delays: list[list[int]]) -> None:
    carried = tuple(StateSpec(name=f"x{n}", channels=1, size=1, delays=tuple(each)) for n, each in enumerate(delays))
    spec = ModelSpec(name="m", form="step", window=3, stride=1, lookahead=5, carried=carried)
    lengths = [spec.ring_length(item) for item in carried]
    assert all(length > max(item.delays) for length, item in zip(lengths, carried, strict=True))
    assert math.lcm(*lengths) == max(lengths)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=20), st.integers(1, 3), st.integers(0, 2))
def test_a_slot_that_is_left_as_it_is_knows_nothing_of_the_step(comes: list[bool], longest: int, spare: int) -> None:
    """One stream pushes at every step, the other only at some: its values are read after as many steps of its own."""
    state = StateSpec(name="x", channels=1, size=1, delays=tuple({1, longest}))
    ring = StateRing(memory(), state, (2, 1, 1, 1), longest + 1 + spare)
    written: list[list[float]] = [[0.0] * longest, [0.0] * longest]
    for step, second in enumerate(comes):
        for delay, name in {1: "x.1", longest: f"x.{longest}"}.items():
            assert ring.inputs()[name][:, 0, 0, 0].tolist() == [values[-delay] for values in written]
        ring.output()[:] = step + 1.0
        written[0].append(step + 1.0)
        if second:
            written[1].append(step + 1.0)
        else:
            ring.hold(1)
        ring.advance()


def test_a_step_that_fails_has_not_been(step_runner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a slot that was held out of it, whose stream is not told."""
    runner, clip = step_runner(), make_clip(4)
    stepper = Stepper(runner, 8, 16, streams=2)
    pair = [{name: np.concatenate([array, array]) for name, array in step_inputs(clip, t).items()} for t in range(5)]
    for t in range(2):
        stepper.push(pair[t], [True, True])
    with monkeypatch.context() as patch:
        patch.setattr(runner, "run_into", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stepper.push(pair[2], [None, True])
    for t in (2, 3, 4):
        fill = stepper.push(pair[t], [t < 4, t < 4])
        for slot in range(2):
            np.testing.assert_allclose(fill[slot], runner.expected(list(clip["frames"]), t - 1), rtol=1e-6)
