"""Streams that share a step model: each step is made for all of them at once."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.checks import check_numbers, check_whole
from ptfan.engine.closing import Closing
from ptfan.engine.errors import InputError
from ptfan.engine.fillers.stepper import Stepper, step_runner
from ptfan.engine.runners.runner import Arrays, Runner

__all__ = ["Slot", "StepPool"]


class StepPool(Closing):
    """Batches of slots, one or more for each size of frames; a batch is kept while one of its slots is taken.

    The batch that was emptied last stays for whoever comes next with frames of its size: a stream gives its slot back
    and takes another at every scene cut, and memory at the same addresses lets a GPU go on with what it has recorded.

    A step is made when every stream that holds a slot of its batch waits for one. A stream that is late is waited for,
    or, after `patience`, left out: its slot stays as it is. Either way a stream's answers are those that it would
    get alone.

    Each stream should push from a thread of its own. Of several that one thread serves, none is waited for while that
    thread waits for another one's step: it could not come.
    """

    def __init__(self, runner: Runner, *, streams: int = 1, patience: float | None = None) -> None:
        """Share a loaded step model; it is not closed here.

        Args:
            runner: the model.
            streams: slots of a batch. A step costs as much as that many streams, however many of the slots are taken.
            patience: seconds that a step waits for streams that are late; None waits as long as it takes.

        Raises:
            ModelError: the model is not of the step form, or its backend cannot run that.
            InputError: the number of streams is not whole, or it or the patience is out of range.
        """
        self.streams, self.patience = streams, patience
        """As they were given."""
        check_whole(self, "streams", least=1)
        check_numbers("", self, "patience")
        self.runner = step_runner(runner)
        """The model."""
        self._batches: dict[tuple[int, int], list[_Batch]] = {}
        self._spare: dict[tuple[int, int], _Batch] = {}
        self._meeting = _Meeting()

    def open(self, stream: Hashable, height: int, width: int) -> Slot:
        """Take a slot for a stream that begins.

        Args:
            stream: who takes it. Whoever takes several of one size gets them in different batches.
            height: of the frames, pixels, a multiple of the model's.
            width: likewise.

        Raises:
            InputError: the pool is closed.
            ModelError: the model takes no frames of that size.
        """
        with self._meeting.changed:
            self.check_open()
            batches = self._batches.setdefault((height, width), [])
            batch = next((batch for batch in batches if batch.has_room(stream)), None)
            if batch is None:
                batch = self._spare.pop((height, width), None) or self._new_batch(height, width)
                batches.append(batch)
            return Slot(self, batch, batch.take(stream))

    def check_open(self) -> None:
        """Check that there are steps to come.

        Raises:
            InputError: the pool is closed.
        """
        self._meeting.check_open()

    def close(self) -> None:
        """Let go of all who wait, with an error, and return when no step is under way; there is no other one."""
        with self._meeting.changed:
            self._meeting.closed = True
            self._meeting.changed.notify_all()
        with self._meeting.runner:
            pass

    def _new_batch(self, height: int, width: int) -> _Batch:
        self._spare.clear()  # before there is memory for another one
        stepper = Stepper(self.runner, height, width, streams=self.streams)
        return _Batch(stepper, self._meeting, self.streams, self.patience)

    def forget_empty(self) -> None:
        """Drop the memory of batches that nobody holds a slot of, but for the newest of these."""
        with self._meeting.changed:
            for size, batches in list(self._batches.items()):
                kept = [batch for batch in batches if not batch.empty]
                if len(kept) < len(batches):
                    self._spare = {size: next(batch for batch in batches if batch.empty)}
                self._batches[size] = kept
                if not kept:
                    del self._batches[size]


class Slot:
    """One stream's place in a batch: a `Stepper` of a single stream, as it were."""

    def __init__(self, pool: StepPool, batch: _Batch, index: int) -> None:
        """Take a slot; `StepPool.open` does."""
        self._pool, self._batch, self._index = pool, batch, index

    @property
    def delay(self) -> int:
        """Steps between a frame and its answer."""
        return self._batch.delay

    def push(self, inputs: Arrays, live: bool) -> NDArray[np.float32]:
        """Take the stream's next frame; wait for the step that it is part of.

        Args:
            inputs: by name, (1, C, H, W) each, see `ModelSpec`.
            live: False to go on with the frames that still wait, without another one.

        Returns:
            (3, H, W): what goes into the hole of the frame `delay` pushes ago, rubbish where that was none.

        Raises:
            InputError: the pool is closed, or was while this waited.
        """
        return self._batch.push(self._index, inputs, live)

    def close(self) -> None:
        """Give the slot back; nothing of the stream is left."""
        self._batch.give_back(self._index)
        self._pool.forget_empty()


class _Meeting:
    """Which streams wait for a step, in any batch; whoever looks at it or at a batch holds `changed`."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.waiting: set[Hashable] = set()
        self.runner = threading.Lock()
        """Held while a batch runs the model: batches of different sizes take turns."""
        self.closed = False
        """Whether there are no more steps."""

    def check_open(self) -> None:
        if self.closed:
            raise InputError("engine is closed; open another one")


@dataclass(eq=False)
class _Seat:
    """A slot that is taken."""

    stream: Hashable
    """By whom."""
    thread: int
    """The thread that it was pushed from last, or taken in."""
    pushed: tuple[Arrays, bool] | None = None
    """What waits for the next step."""
    answer: NDArray[np.float32] | BaseException | None = None
    """What came out, until it is fetched."""


class _Batch:
    """The slots of one stepper."""

    def __init__(self, stepper: Stepper, meeting: _Meeting, streams: int, patience: float | None) -> None:
        self._stepper, self._meeting, self._patience = stepper, meeting, patience
        self._seats: list[_Seat | None] = [None] * streams
        self._fresh: set[int] = set()
        """Slots whose stream has not been in a step yet: they are emptied when no step is under way."""
        self._inputs: dict[str, NDArray[np.float32]] = {}
        self._running = False

    @property
    def delay(self) -> int:
        return self._stepper.delay

    @property
    def empty(self) -> bool:
        return not any(self._seats)

    def has_room(self, stream: Hashable) -> bool:
        return None in self._seats and all(seat is None or seat.stream is not stream for seat in self._seats)

    def take(self, stream: Hashable) -> int:
        index = self._seats.index(None)
        self._seats[index] = _Seat(stream, threading.get_ident())
        self._fresh.add(index)
        return index

    def give_back(self, index: int) -> None:
        with self._meeting.changed:
            seat, self._seats[index] = self._seats[index], None
            if seat is not None:
                self._meeting.waiting.discard(seat.stream)
            self._meeting.changed.notify_all()

    def push(self, index: int, inputs: Arrays, live: bool) -> NDArray[np.float32]:
        seat = self._seats[index]
        assert seat is not None
        with self._meeting.changed:
            self._meeting.check_open()
            seat.pushed, seat.thread = (inputs, live), threading.get_ident()
            self._meeting.waiting.add(seat.stream)
            self._meeting.changed.notify_all()
            self._await_step(seat)
        if seat.pushed is not None:
            self._step()
        answer, seat.answer = seat.answer, None
        if isinstance(answer, BaseException):
            raise answer
        assert answer is not None
        return answer

    def _await_step(self, seat: _Seat) -> None:
        """Return when another thread has made the step, or when this one is to make it: then `_running` is set."""
        changed = self._meeting.changed
        changed.wait_for(lambda: seat.pushed is None or not self._running)  # no patience is lost on a step that runs
        changed.wait_for(lambda: seat.pushed is None or (not self._running and self._ready()), self._patience)
        changed.wait_for(lambda: seat.pushed is None or not self._running)
        if seat.pushed is not None and self._meeting.closed:
            seat.pushed = None
            self._meeting.check_open()
        self._running = self._running or seat.pushed is not None

    def _ready(self) -> bool:
        """Tell whether nobody is waited for, or nothing.

        That is nobody who holds a slot and is late; who pushed from this very thread cannot come while it waits.
        """
        here = threading.get_ident()
        return self._meeting.closed or all(
            seat is None or seat.pushed is not None or seat.stream in self._meeting.waiting or seat.thread == here
            for seat in self._seats
        )

    def _step(self) -> None:
        """Make the step for all who have pushed, without the lock: others may come meanwhile. Errors are everyone's."""
        seats: dict[int, _Seat] = {}
        fill: NDArray[np.float32] | None = None
        error: BaseException | None = None
        try:
            with self._meeting.changed:
                seats = {index: seat for index, seat in enumerate(self._seats) if seat is not None and seat.pushed}
                self._meeting.waiting.difference_update(seat.stream for seat in seats.values())
                while self._fresh:
                    self._stepper.reset(self._fresh.pop())
                live = [self._gather(index, seat) for index, seat in enumerate(self._seats)]
            with self._meeting.runner:
                self._meeting.check_open()  # Or the model may be freed meanwhile.
                fill = self._stepper.push(self._inputs, live)
        except BaseException as raised:
            error = raised
        with self._meeting.changed:
            for index, seat in seats.items():
                seat.pushed, seat.answer = None, error if fill is None else fill[index]
            self._running = False
            self._meeting.changed.notify_all()

    def _gather(self, index: int, seat: _Seat | None) -> bool | None:
        """Put a slot's inputs into the batch; return whether it has a frame, None if it is to stay as it is."""
        if seat is None:
            return False
        if seat.pushed is None:
            return None
        inputs, live = seat.pushed
        for name, array in inputs.items():
            if name not in self._inputs:
                self._inputs[name] = np.zeros((len(self._seats), *array.shape[1:]), np.float32)
            self._inputs[name][index] = array[0]
        return live
