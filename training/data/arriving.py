"""The inputs of a network that does not wait: a frame's are made when it arrives, or a few frames later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.flow import FlowPair
from ptfan.engine.prepare.propagation import ColourCompletion
from ptfan.engine.prepare.stream_inputs import StreamInputs
from ptfan.engine.runners.runner import Arrays
from ptfan.engine.spec import Fill

__all__ = ["FlowsBetween", "arriving_inputs"]

FlowsBetween = Callable[[int, int], Sequence[FlowPair]]
"""The completed flow between the frames of [first, end), decided on by these frames alone."""


def arriving_inputs(
    images: Sequence[NDArray[np.float32]],
    holes: Sequence[Mask],
    flows: FlowsBetween,
    shown: range,
    fill: Fill,
    lookahead: int,
    colours: ColourCompletion | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Return the clip graph's inputs of the frames in `shown`, each made when the frame `lookahead` after it arrives.

    A frame's flow and carried pixels then come from itself, the one before, all that was carried and has settled up to
    that, and `lookahead` frames after it: what the runtime's windows of `lookahead` + 2 frames give, moved by one
    frame.

    Args:
        images: T frames (H, W, 3), RGB in [0, 1]; what stands in the holes has no influence.
        holes: T masks (H, W).
        flows: completes the flow of a part of these frames.
        shown: the frames that are wanted.
        fill: what the network expects in the holes.
        lookahead: frames after a frame that may be used for it; fewer where the clip ends before.
        colours: what completes the colours that no frame shows; they stay smooth if None.
    """
    stream = StreamInputs(fill, colours)
    entries: list[Arrays] = []
    for first, newest, made in _windows(len(images), shown, lookahead):
        window = slice(first, newest + 1)
        pairs = flows(first, newest + 1)
        inputs, _ = stream.make(images[window], holes[window], pairs, first=first, kept=made.stop - first)
        entries += [_entry(inputs, pairs, t - first) for t in made if t in shown]
    return {name: np.stack([entry[name] for entry in entries]) for name in entries[0]}


def _windows(frames: int, shown: range, lookahead: int) -> Iterator[tuple[int, int, range]]:
    """Yield the first and the newest frame of each window, and the frames that are made of it.

    Every frame from the stream's start to the last that is shown is made: what is made up settles from one to the next.
    """
    for t in range(min(shown.stop, frames - lookahead)):
        yield max(0, t - 1), t + lookahead, range(t, t + 1)
    rest = range(max(0, frames - lookahead), frames)
    if rest and rest.start < shown.stop:  # no frame comes any more: all that wait are made at once
        yield max(0, rest.start - 1), frames - 1, rest


def _entry(inputs: Arrays, pairs: Sequence[FlowPair], place: int) -> Arrays:
    """Return the inputs of one frame of a window, with the flow to the frame after it if that has arrived."""
    entry = {name: array[place] for name, array in inputs.items()}
    if place < len(pairs):
        entry["flow_forward"] = pairs[place].forward.transpose(2, 0, 1)
        entry["validity_forward"] = pairs[place].forward_validity[None].astype(np.float32)
    return entry
