"""The four threads of a run: order, errors, bounds and stopping."""

from __future__ import annotations

import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ptfan.engine.channel import THREAD_PREFIX
from ptfan.engine.errors import InputError, MaskError, OutputError
from ptfan.engine.frame import Box, Frame
from ptfan.engine.inpainter import Inpainter
from ptfan.engine.masks.source import MaskSource
from ptfan.engine.media import Sample, Sink
from ptfan.engine.stages import CopyThrough, Room, Stages

SIDE = 24


def sample(index: int) -> Sample:
    image = np.full((SIDE, SIDE, 3), index % 251, np.uint8)
    native = av.VideoFrame(SIDE, SIDE, "rgb24")
    return Sample(index, image, index, Fraction(1, 25), native)


def samples(count: int | None) -> Iterator[Sample]:
    """Pictures 0 to count - 1; without end where count is None."""
    index = 0
    while count is None or index < count:
        yield sample(index)
        index += 1


class Shelf(Sink):
    """Keeps the indices of what is written."""

    def __init__(self, then: Callable[[int], object] = lambda index: None) -> None:
        self.written: list[int] = []
        self._then = then

    def write(self, sample: Sample, frame: Frame) -> None:
        assert frame.tag is sample
        self._then(sample.index)
        self.written.append(sample.index)

    def close(self) -> None:
        pass

    def abort(self, keep_partial: bool = False) -> Path | None:
        return None


class Pairs(CopyThrough):
    """Two frames to a window; an odd one comes at the flush."""

    def __init__(self) -> None:
        self._waiting: list[Any] = []

    def push(self, frame: Frame) -> list[Any]:
        self._waiting.append(frame)
        return self.flush() if len(self._waiting) == 2 else []

    def flush(self) -> list[Any]:
        window, self._waiting = self._waiting, []
        return [window] if window else []

    def infer(self, window: Any) -> list[Frame]:
        return list(window)


def masks() -> MaskSource:
    return MaskSource(None, [Box(4, 4, 8, 8)])


def raiser(error: Exception) -> Callable[..., Any]:
    def work(*arguments: object) -> Any:
        raise error

    return work


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    deadline = time.monotonic() + 5
    while any(thread.name.startswith(THREAD_PREFIX) for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("count", [0, 1, 2, 51])
def test_every_frame_is_written_once_and_in_order(count: int) -> None:
    sink, counted = Shelf(), []
    stages = Stages(samples(count), masks(), Pairs(), sink, lambda: counted.append(1))
    assert stages.run()
    assert sink.written == list(range(count))
    assert stages.frames == stages.holes == len(counted) == count
    assert set(stages.busy) == {"decode", "mask", "prepare", "infer", "encode"}
    assert all(seconds >= 0 for seconds in stages.busy.values())


def fail_decode(stages: Any, error: Exception) -> None:
    def broken() -> Iterator[Sample]:
        yield sample(0)
        raise error

    stages._source = broken()


def fail_mask(stages: Any, error: Exception) -> None:
    stages._masks.at = raiser(error)


def fail_prepare(stages: Any, error: Exception) -> None:
    stages._inpainting.push = raiser(error)


def fail_flush(stages: Any, error: Exception) -> None:
    stages._inpainting.flush = raiser(error)


def fail_infer(stages: Any, error: Exception) -> None:
    stages._inpainting.infer = raiser(error)


def fail_encode(stages: Any, error: Exception) -> None:
    stages._sink.write = raiser(error)


@pytest.mark.parametrize("fail", [fail_decode, fail_mask, fail_prepare, fail_flush, fail_infer, fail_encode])
def test_the_error_of_any_stage_ends_the_run(fail: Callable[[Any, Exception], None]) -> None:
    stages = Stages(samples(20), masks(), Pairs(), Shelf())
    error = OutputError("it broke")
    fail(stages, error)
    with pytest.raises(OutputError) as caught:
        stages.run()
    assert caught.value is error


@pytest.mark.parametrize("inpainting", [Pairs, CopyThrough])
def test_what_was_read_before_an_error_is_written(inpainting: Callable[[], Any]) -> None:
    def source() -> Iterator[Sample]:
        yield from samples(11)
        raise InputError("it broke")

    sink = Shelf()
    stages = Stages(source(), masks(), inpainting(), sink)
    with pytest.raises(InputError, match="it broke"):
        stages.run()
    assert sink.written == list(range(11))
    assert stages.frames == 11


def test_what_the_network_finished_before_it_failed_is_written() -> None:
    class Failing(CopyThrough):
        def infer(self, window: Frame) -> list[Frame]:
            assert isinstance(window.tag, Sample)
            return super().infer(window) if window.tag.index < 6 else raiser(InputError("it broke"))()

    sink = Shelf(lambda index: time.sleep(0.01))
    with pytest.raises(InputError, match="it broke"):
        Stages(samples(20), masks(), Failing(), sink).run()
    assert sink.written == list(range(6))


def test_the_first_error_wins() -> None:
    failed = threading.Event()

    def source() -> Iterator[Sample]:
        yield from samples(8)
        failed.wait(5)
        raise MaskError("second")

    def write(index: int) -> None:
        failed.set()
        raise InputError("first")

    with pytest.raises(InputError, match="first"):
        Stages(source(), masks(), CopyThrough(), Shelf(write)).run()


@pytest.mark.parametrize(
    "room", [Room(), Room(decoded=1, windows=1, filled=1), Room(windows=0, filled=4), Room.of(3840, 2160)]
)
def test_whoever_is_ahead_waits(room: Room) -> None:
    """While the encoder rests, no more is read than fits into the queues and the hands of the stages."""
    read: list[int] = []
    rest = threading.Event()

    def source() -> Iterator[Sample]:
        for item in samples(200):
            read.append(item.index)
            yield item

    stages = Stages(source(), masks(), CopyThrough(), Shelf(lambda index: bool(rest.wait(10))), room=room)
    runner = threading.Thread(target=stages.run)
    runner.start()
    time.sleep(0.5)
    waiting = len(read)
    rest.set()
    runner.join()
    in_hand = 4
    assert waiting <= room.decoded + room.windows + room.filled + in_hand
    assert stages.frames == 200


def test_large_frames_get_less_room() -> None:
    assert Room.of(432, 240) == Room.of(960, 540) == Room()
    assert Room.of(1920, 1080).windows == 0
    assert Room.of(1920, 1080).filled < Room().filled


def test_what_lives_does_not_grow_with_the_length(runner: Callable[..., Any]) -> None:
    made: list[weakref.ref[Any]] = []
    most = 0

    def source() -> Iterator[Sample]:
        for item in samples(240):
            made.append(weakref.ref(item.image))
            yield item

    def write(index: int) -> None:
        nonlocal most
        most = max(most, sum(image() is not None for image in made))

    room = Room.of(1920, 1080)
    with Inpainter(runner=runner(window=6, stride=3)) as inpainter:
        assert Stages(source(), masks(), inpainter, Shelf(write), room=room).run()
    assert most <= 3 * 6 + room.decoded + room.filled


def test_stopping_keeps_the_beginning_without_gaps() -> None:
    stop = threading.Event()
    sink = Shelf(lambda index: stop.set() if index == 30 else None)
    stages = Stages(samples(None), masks(), Pairs(), sink)
    assert not stages.run(stop)
    assert sink.written == list(range(stages.frames))
    assert stages.frames >= 31


@pytest.fixture
def raise_in_main() -> Iterator[Callable[[BaseException], None]]:
    """Give a function that has a signal's handler raise an error in the main thread, as timers of task queues do."""
    raised: list[BaseException] = []

    def handle(number: int, frame: object) -> None:
        raise raised.pop()

    def send(error: BaseException) -> None:
        time.sleep(0.1)  # until the main thread waits: it may still be starting the others
        raised.append(error)
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.3)  # until the main thread has gone on, if it does not wait

    before = signal.signal(signal.SIGUSR1, handle)
    yield send
    signal.signal(signal.SIGUSR1, before)


def test_control_c_waits_for_the_frame_that_is_being_written(raise_in_main: Callable[[BaseException], None]) -> None:
    sink = Shelf(lambda index: raise_in_main(KeyboardInterrupt()) if index == 5 else None)
    stages = Stages(samples(None), masks(), Pairs(), sink)
    assert not stages.run()
    assert sink.written == list(range(stages.frames))
    assert stages.frames >= 6


@pytest.mark.parametrize("error", [TimeoutError(), SystemExit(3)])
def test_nothing_is_at_work_when_a_signal_breaks_a_run_off(
    error: BaseException, raise_in_main: Callable[[BaseException], None]
) -> None:
    sink = Shelf(lambda index: raise_in_main(error) if index == 5 else None)
    with pytest.raises(type(error)):
        Stages(samples(None), masks(), Pairs(), sink).run()
    assert sink.written == list(range(6))
    assert not any(thread.name.startswith(THREAD_PREFIX) for thread in threading.enumerate())


def test_nothing_is_at_work_when_control_c_comes_while_threads_start(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def start_all_but_the_last(thread: threading.Thread) -> None:
        if thread.name == f"{THREAD_PREFIX}encode":
            raise KeyboardInterrupt
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_all_but_the_last)
    with pytest.raises(KeyboardInterrupt):
        Stages(samples(None), masks(), Pairs(), Shelf()).run()
    assert not any(thread.name.startswith(THREAD_PREFIX) for thread in threading.enumerate())


def test_stopping_does_not_wait_for_a_silent_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.engine.stages.GRACE_SECONDS", 0.05)
    stop, silent = threading.Event(), threading.Event()

    def source() -> Iterator[Sample]:
        yield from samples(3)
        stop.set()
        silent.wait(30)

    sink = Shelf()
    begin = time.monotonic()
    assert not Stages(source(), masks(), CopyThrough(), sink).run(stop)
    assert time.monotonic() - begin < 10
    silent.set()
    assert sink.written == list(range(len(sink.written)))
