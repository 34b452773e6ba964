"""Streams that share a batch get what they get alone, whenever they come, wait and go."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, InputError, ModelError
from ptfan.engine.fillers.step_pool import Slot, StepPool
from ptfan.engine.fillers.stepper import Stepper, step_inputs
from tests.engine.conftest import FakeStepRunner, make_clip

HEIGHT, WIDTH = 8, 16


def answers(slot: Slot, inputs: dict[str, Any], before: Callable[[], None] = lambda: None) -> list[NDArray[np.float32]]:
    """Push a clip and flush it."""
    count = len(inputs["frames"])
    fills = []
    for t in range(count + slot.delay):
        before()
        fills.append(slot.push(step_inputs(inputs, t), t < count))
    slot.close()
    return fills[slot.delay :]


def check(fills: list[NDArray[np.float32]], inputs: dict[str, Any]) -> None:
    pictures = list(inputs["frames"])
    assert len(fills) == len(pictures)
    for t, fill in enumerate(fills):
        np.testing.assert_allclose(fill, FakeStepRunner.expected(pictures, t), rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    streams=st.integers(1, 3),
    patience=st.sampled_from([None, 0.0, 0.001]),
    seed=st.integers(0, 99),
)
def test_streams_in_threads_of_their_own(lengths: list[int], streams: int, patience: float | None, seed: int) -> None:
    pool = StepPool(FakeStepRunner(), streams=streams, patience=patience)
    clips = [make_clip(length, seed + place) for place, length in enumerate(lengths)]

    def work(place: int) -> list[NDArray[np.float32]]:
        random = np.random.default_rng(place)
        time.sleep(0.001 * random.random())
        slot = pool.open(place, HEIGHT, WIDTH)
        return answers(slot, clips[place], lambda: time.sleep(0.001 * random.random()))

    with ThreadPoolExecutor(len(lengths)) as threads:
        for fills, inputs in zip(threads.map(work, range(len(lengths))), clips, strict=True):
            check(fills, inputs)


def test_streams_that_are_there_are_stepped_together() -> None:
    runner, count = FakeStepRunner(), 6
    pool = StepPool(runner, streams=3)
    slots = [pool.open(place, HEIGHT, WIDTH) for place in range(3)]
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(answers, slots, [make_clip(count, seed) for seed in range(3)]))
    for seed, fills in enumerate(found):
        check(fills, make_clip(count, seed))
    assert len(runner.calls) == count + 1
    assert all(call["live"][:, 0].all() for call in runner.calls[:count])


def test_one_thread_may_serve_several_streams() -> None:
    """None of them can come while another one waits, so that none is waited for: all others stay as they are."""
    pool = StepPool(FakeStepRunner(lookahead=1), streams=2)
    clips = [make_clip(5), make_clip(3, seed=1)]
    slots = [pool.open(place, HEIGHT, WIDTH) for place in range(2)]
    fills: list[list[NDArray[np.float32]]] = [[], []]
    for _ in range(6):
        for place, inputs in enumerate(clips):
            for _ in range(1 + place):  # the second one comes twice as often
                n = len(fills[place])
                fills[place].append(slots[place].push(step_inputs(inputs, n), n < len(inputs["frames"])))
    for place, inputs in enumerate(clips):
        check(fills[place][1 : 1 + len(inputs["frames"])], inputs)


def test_one_that_is_late_is_waited_for_without_end_unless_patience_is_over() -> None:
    for patience, waits in ((None, True), (0.0, False)):
        pool = StepPool(FakeStepRunner(), streams=2, patience=patience)
        early, late = (pool.open(place, HEIGHT, WIDTH) for place in range(2))
        inputs, done = make_clip(1), threading.Event()

        def push(slot: Slot = early, done: threading.Event = done, inputs: Any = inputs) -> None:
            slot.push(step_inputs(inputs, 0), True)
            done.set()

        thread = threading.Thread(target=push)
        thread.start()
        assert done.wait(0.05 if waits else 10) is not waits
        late.close()  # who has gone is not waited for
        assert done.wait(10)
        thread.join()


def test_one_that_is_late_once_is_soon_stepped_with_the_others_again() -> None:
    runner, inputs = FakeStepRunner(), make_clip(9)
    pool, good = StepPool(runner, streams=2, patience=0.01), runner.run_into

    def slow(inputs: Any, into: Any) -> Any:
        time.sleep(0.03)
        return good(inputs, into)

    runner.run_into = slow  # type: ignore[method-assign]
    slots = [pool.open(place, HEIGHT, WIDTH) for place in range(2)]

    def work(place: int) -> None:
        time.sleep(0.02 * place)
        answers(slots[place], inputs, lambda: time.sleep(0.002))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    assert sum(call["live"][:, 0].all() for call in runner.calls) > 4


def test_crops_of_one_stream_never_wait_for_each_other() -> None:
    runner = FakeStepRunner()
    pool = StepPool(runner, streams=2)
    crops = [pool.open("one", HEIGHT, WIDTH) for _ in range(2)]
    for seed, crop in enumerate(crops):
        check(answers(crop, make_clip(4, seed)), make_clip(4, seed))
    assert all(call["live"][:, 0].sum() <= 1 for call in runner.calls)


def test_two_streams_with_several_crops_each_cannot_lock_each_other() -> None:
    """Each shows the network one crop's frames after the other's, and not as many."""
    pool = StepPool(FakeStepRunner(), streams=2)

    def work(place: int) -> None:
        crops = [pool.open(place, HEIGHT, WIDTH) for _ in range(2)]
        for seed, (crop, length) in enumerate(zip(crops, (3 + 4 * place, 8 - 5 * place), strict=True)):
            check(answers(crop, make_clip(length, seed)), make_clip(length, seed))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))


def test_an_error_reaches_all_who_wait_and_leaves_the_batch_usable() -> None:
    runner = FakeStepRunner()
    pool = StepPool(runner, streams=2)
    slots = [pool.open(place, HEIGHT, WIDTH) for place in range(2)]
    good = runner.run_into

    def fail(inputs: Any, into: Any) -> Any:
        raise BackendError("out of memory")

    def push(slot: Slot) -> None:
        with pytest.raises(BackendError, match="out of memory"):
            slot.push(step_inputs(make_clip(1), 0), True)

    runner.run_into = fail  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(push, slots))
    runner.run_into = good  # type: ignore[method-assign]
    slots[1].close()
    slots[0].close()
    check(answers(pool.open("next", HEIGHT, WIDTH), make_clip(3)), make_clip(3))


def test_closing_waits_for_the_step_that_is_under_way_and_lets_go_of_all_others() -> None:
    runner, under_way, go_on = FakeStepRunner(), threading.Event(), threading.Event()
    pool, run = StepPool(runner, streams=1), runner.run_into
    slots = [pool.open(place, HEIGHT, WIDTH) for place in range(2)]

    def slow(inputs: Any, into: Any) -> Any:
        under_way.set()
        assert go_on.wait(10)
        return run(inputs, into)

    runner.run_into = slow  # type: ignore[method-assign]
    with ThreadPoolExecutor(3) as threads:
        answer = threads.submit(slots[0].push, step_inputs(make_clip(1), 0), True)
        assert under_way.wait(10)
        in_turn = threads.submit(slots[1].push, step_inputs(make_clip(1), 0), True)
        closing = threads.submit(pool.close)
        with pytest.raises(TimeoutError):
            closing.result(0.2)
        go_on.set()
        closing.result(10)
        assert answer.result(10).shape == (3, HEIGHT, WIDTH)
        with suppress(InputError):  # which of the two was first is open
            in_turn.result(10)
    assert len(runner.calls) <= 2
    with pytest.raises(InputError, match="engine is closed; open another one"):
        slots[0].push(step_inputs(make_clip(1), 0), True)
    with pytest.raises(InputError, match="engine is closed"):
        pool.open("next", HEIGHT, WIDTH)


def test_inputs_that_do_not_fit_the_batch_are_an_error_for_all_who_wait() -> None:
    pool = StepPool(FakeStepRunner(), streams=2)
    slots = [pool.open(place, HEIGHT, WIDTH) for place in range(2)]
    wrong = {name: array[..., :-1] for name, array in make_clip(1).items()}
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:

        def push(*inputs: dict[str, Any]) -> list[Future[Any]]:
            """Push for both streams, each in its own thread."""
            each = zip((first, second), slots, inputs, strict=True)
            return [thread.submit(slot.push, step_inputs(given, 0), True) for thread, slot, given in each]

        for answer in push(make_clip(1), make_clip(1)):
            answer.result(timeout=10)
        for answer in push(make_clip(1), wrong):
            with pytest.raises(ValueError, match="could not broadcast"):
                answer.result(timeout=10)
        for answer in push(make_clip(1), make_clip(1)):
            answer.result(timeout=10)


def test_memory_is_there_while_a_slot_is_taken() -> None:
    pool = StepPool(FakeStepRunner(), streams=2)
    slots = [pool.open(place, HEIGHT, WIDTH) for place in range(3)]
    assert [len(batches) for batches in pool._batches.values()] == [2]
    other = pool.open(9, 2 * HEIGHT, WIDTH)
    assert len(pool._batches) == 2
    for slot in (*slots, other):
        slot.close()
    assert not pool._batches


def test_what_cannot_be_shared_is_refused(runner: Callable) -> None:
    with pytest.raises(ModelError, match="expected step"):
        StepPool(runner())
    for streams in (0, 2.5, "2", math.nan):
        with pytest.raises(InputError, match=rf"^streams is {streams!r}, expected a whole number, 1 or more$"):
            StepPool(FakeStepRunner(), streams=streams)  # type: ignore[arg-type]
    for patience in (-1, "1", math.nan, math.inf):
        with pytest.raises(InputError, match=rf"^patience is {patience!r}, expected 0 or more$"):
            StepPool(FakeStepRunner(), patience=patience)  # type: ignore[arg-type]
    pool = StepPool(FakeStepRunner())
    with pytest.raises(ModelError, match="expected multiples of 8"):
        pool.open("one", 8, 20)
    assert not any(pool._batches.values())


def test_the_memory_that_was_given_back_last_is_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []

    class Counted(Stepper):
        def __init__(self, runner: Any, height: int, width: int, **options: Any) -> None:
            made.append((height, width))
            super().__init__(runner, height, width, **options)

    monkeypatch.setattr("ptfan.engine.fillers.step_pool.Stepper", Counted)
    pool = StepPool(FakeStepRunner())
    for seed in range(3):
        check(answers(pool.open("one", HEIGHT, WIDTH), make_clip(3, seed)), make_clip(3, seed))
    assert made == [(HEIGHT, WIDTH)]
    pool.open("one", 2 * HEIGHT, WIDTH).close()
    check(answers(pool.open("one", HEIGHT, WIDTH), make_clip(3)), make_clip(3))
    assert made == [(HEIGHT, WIDTH), (2 * HEIGHT, WIDTH), (HEIGHT, WIDTH)], "only the last one is kept"


def test_a_slot_that_changes_hands_during_a_step_holds_nothing_of_the_stream_before() -> None:
    """The stream before was late: its place in the step that is under way is put back when that is over."""
    runner, inputs = FakeStepRunner(), make_clip(9)
    good, under_way, go_on = runner.run_into, threading.Event(), threading.Event()
    pool = StepPool(runner, streams=2, patience=0.01)
    late, steady = (pool.open(place, HEIGHT, WIDTH) for place in range(2))
    with ThreadPoolExecutor(2) as threads:
        for t in range(3):
            list(threads.map(lambda slot, t=t: slot.push(step_inputs(inputs, t), True), (late, steady)))

        def slow(inputs: Any, into: Any) -> Any:
            under_way.set()
            assert go_on.wait(10)
            return good(inputs, into)

        runner.run_into = slow  # type: ignore[method-assign]
        alone = threads.submit(steady.push, step_inputs(inputs, 3), True)
        assert under_way.wait(10)
        late.close()
        fresh = pool.open("fresh", HEIGHT, WIDTH)
        go_on.set()
        alone.result()
        steady.close()
    clip = make_clip(5, seed=7)
    check(answers(fresh, clip), clip)
