"""A network's inputs as a stream makes them that does not wait: each frame's from few frames after it, or from none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.flow import FlowPair
from ptfan.engine.frame import Mask
from ptfan.engine.inputs import clip_inputs
from ptfan.engine.propagation import Canvas, Carrier, known_pixels
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
) -> dict[str, NDArray[np.float32]]:
    """Return the clip graph's inputs of the frames in `shown`, each made when the frame `lookahead` after it arrives.

    A frame's flow and carried pixels then come from itself, the one before, all that was carried up to that, and
    `lookahead` frames after it: what the runtime's windows of `lookahead` + 2 frames give, moved by one frame.

    Args:
        images: T frames (H, W, 3), RGB in [0, 1]; what stands in the holes has no influence.
        holes: T masks (H, W).
        flows: completes the flow of a part of these frames.
        shown: the frames that are wanted.
        fill: what the network expects in the holes.
        lookahead: frames after a frame that may be used for it; fewer where the clip ends before.
    """
    carrier, past = Carrier(), list[Canvas]()
    entries: list[dict[str, NDArray[np.float32]]] = []
    for newest in range(min(len(images), shown.stop + lookahead)):
        first = max(0, newest - lookahead - 1)
        pairs = flows(first, newest + 1)
        canvas = known_pixels(images[newest], holes[newest])
        past.append(carrier.push(canvas, holes[newest], *(pairs[-1].back if pairs else ())))
        last = newest == len(images) - 1  # no frame comes after it: all that wait are made now
        for t in range(newest - lookahead, (newest if last else newest - lookahead) + 1):
            if t in shown:
                window = slice(first, newest + 1)
                inputs = clip_inputs(images[window], holes[window], pairs, fill, past[window])
                entries.append({name: array[t - first] for name, array in inputs.items()})
    return {name: np.stack([entry[name] for entry in entries]) for name in entries[0]}
