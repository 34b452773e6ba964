"""A step model's memory: what each step hands on to later ones, for the streams of one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import ModelError
from ptfan.engine.runners.runner import Arrays, BoundRunner, Runner, State
from ptfan.engine.spec import StateSpec

__all__ = ["StateRing", "Stepper", "step_inputs", "step_runner"]


class StateRing:
    """The last values of one of a model's `carried`: they are allocated once, and written to in turn."""

    def __init__(self, runner: BoundRunner, spec: StateSpec, shape: tuple[int, ...], length: int) -> None:
        """Allocate where the runner computes.

        Args:
            runner: who reads and writes the values.
            spec: which they are.
            shape: of a value, for all streams.
            length: how many; more than the longest delay, as what is read last must not be what is written.
        """
        self._runner = runner
        self._values = [runner.allocate(shape, spec.precision) for _ in range(length)]
        self._spec = spec
        self._newest = 0

    def inputs(self) -> dict[str, State]:
        """Return what the next step reads, by the graph's names."""
        return {name: self._back(delay) for delay, name in self._spec.inputs.items()}

    def output(self) -> State:
        """Return where the next step writes."""
        return self._back(0)

    def hold(self, stream: int) -> None:
        """Undo the step for one stream, before `advance`: its values are read again at the delays that they had."""
        for delay in range(max(self._spec.delays)):
            self._runner.copy_stream(self._back(delay + 1), self._back(delay), stream)

    def advance(self) -> None:
        """Go one step on."""
        self._newest = (self._newest + 1) % len(self._values)

    def _back(self, steps: int) -> State:
        """Return the value that was written so many steps ago; for 0, where this step writes."""
        return self._values[(self._newest - steps) % len(self._values)]


class Stepper:
    """Runs a step model for up to B streams at once, each of which may begin and end when it likes.

    A frame's answer comes `delay` steps after it. A stream's slot may be given to another when it has been reset:
    nothing of the one before is ever looked at.
    """

    def __init__(self, runner: Runner, height: int, width: int, *, streams: int = 1) -> None:
        """Begin with empty slots.

        Args:
            runner: a loaded step model; it is not closed here.
            height: of the frames, pixels, a multiple of the model's `size_multiple`.
            width: likewise.
            streams: B.

        Raises:
            ModelError: the model is not of the step form, its backend cannot run that, or it takes no frames of that
                size or so many streams.
        """
        self._runner, spec = step_runner(runner), runner.spec
        multiple = spec.size_multiple
        if height % multiple or width % multiple or not height * width:
            raise ModelError(f"model {spec.name}: frames are {width}x{height}, expected multiples of {multiple}")
        if spec.fixed_streams not in (None, streams):
            raise ModelError(
                f"model {spec.name}: takes {spec.fixed_streams} streams at a time, got {streams}; "
                "export it for any number"
            )
        self._rings = {
            state.name: StateRing(self._runner, state, state.shape(streams, height, width), spec.ring_length(state))
            for state in spec.carried
        }
        self._live = np.zeros((streams, spec.lookahead + 2), np.float32)

    @property
    def delay(self) -> int:
        """Steps between a frame and its answer."""
        return self._runner.spec.lookahead

    def reset(self, slot: int = 0) -> None:
        """Forget a slot's stream: its next frame is a stream's first."""
        self._live[slot] = 0.0

    def push(self, inputs: Arrays, live: Sequence[bool | None] = (True,)) -> NDArray[np.float32]:
        """Take the next frame of every slot.

        Args:
            inputs: by name, (B, C, H, W) each, see `ModelSpec`; where a slot has no frame, anything finite.
            live: which slots have a frame; a slot without one goes on with the frames that still wait in it. None
                leaves a slot as it is, as if this step had not been: that costs a copy of its memory.

        Returns:
            (B, 3, H, W): what goes into the hole of the frame `delay` steps ago, rubbish where that was none, or where
            the slot was left as it is.

        Raises:
            BackendError: the model failed. All slots are as they were.
        """
        held = [slot for slot, alive in enumerate(live) if alive is None]
        newest = np.array([[bool(alive)] for alive in live], np.float32)
        after = np.concatenate((newest, self._live[:, :-1]), axis=1)
        feed: dict[str, Any] = {**inputs, "live": after}
        for ring in self._rings.values():
            feed.update(ring.inputs())
        into = {name: ring.output() for name, ring in self._rings.items()}
        fill: NDArray[np.float32] = self._runner.run_into(feed, into)["fill"]
        for ring in self._rings.values():
            for slot in held:
                ring.hold(slot)
            ring.advance()
        after[held] = self._live[held]
        self._live = after  # only now: a step that fails has not been
        return fill


def step_runner(runner: Runner) -> BoundRunner:
    """Return the runner as one that can step.

    Raises:
        ModelError: its model is not of the step form, or its backend cannot run that.
    """
    spec = runner.spec
    spec.check_form("step")
    if not isinstance(runner, BoundRunner):
        raise ModelError(f"model {spec.name}: {runner.backend} cannot run the step form; export the clip form for it")
    return runner


def step_inputs(clip: Arrays, t: int) -> dict[str, NDArray[Any]]:
    """Return what a step takes when frame t of a clip comes: (1, C, H, W) each, zeros where the clip has nothing.

    Args:
        clip: the clip graph's inputs.
        t: the frame's number; beyond the clip's end, a frame to flush with.
    """
    # A forward flow lives on the frame before, and leads to this one.
    places = {name: t - 1 if name in ("flow_forward", "validity_forward") else t for name in clip}
    return {
        name: array[places[name]][None] if 0 <= places[name] < len(array) else np.zeros_like(array[:1])
        for name, array in clip.items()
    }
