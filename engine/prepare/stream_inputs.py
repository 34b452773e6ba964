"""A network's inputs, made call after call of one stream: what was carried and what has settled goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.carrier import Canvas, Carrier, known_pixels
from ptfan.engine.prepare.flow import FlowPair
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.prepare.propagation import ColourCompletion
from ptfan.engine.prepare.remembered_colours import RememberedColours
from ptfan.engine.prepare.settling import Picture, Settled
from ptfan.engine.runners.runner import Arrays
from ptfan.engine.spec import Fill

__all__ = ["StreamInputs"]


class StreamInputs:
    """Makes the inputs of overlapping parts of a stream, whose frames go by their number in it.

    Args:
        fill: What the network expects in the holes.
        colours: What decides on the colours that no frame shows; they are smooth if None.
    """

    def __init__(self, fill: Fill, colours: ColourCompletion | None = None) -> None:
        self._fill, self._colours = fill, colours
        self._remembered = None if colours is None else RememberedColours(colours)
        self._carrier = Carrier()
        self._arrived: dict[int, Canvas] = {}
        self._settled: Settled | None = None

    def make(
        self,
        images: Sequence[Picture],
        holes: Sequence[Mask],
        flows: Sequence[FlowPair],
        *,
        first: int,
        kept: int,
        beyond: bool = False,
    ) -> tuple[Arrays, Callable[[], Arrays]]:
        """Return the inputs of a part of the stream, and what makes those of all its frames.

        Args:
            images: T frames (H, W, 3), RGB in [0, 1]; what stands in the holes has no influence.
            holes: T masks (H, W).
            flows: T - 1 pairs; pair t lies between frames t and t + 1.
            first: the number of the first of them; it never goes down from call to call.
            kept: how many of them, from the first, have nothing more to come: what follows goes on from the last.
            beyond: make the inputs of all T frames at once, not of the kept ones alone.
        """
        self._forget(first)
        past = self._carried(first, images, holes, flows) if self._fill == "propagated" else None
        # Guesses go on from where they have settled: else they would change where one call follows another.
        last = self._settled
        before = None if last is None else Settled(last.place - first, last.picture)
        make = partial(clip_inputs, images, holes, flows, self._fill, past, colours=self._colours, before=before)
        arrays = make() if beyond else make(wanted=kept, colours=self._remembering(first, first + kept))
        picture = np.ascontiguousarray(arrays["frames"][kept - 1].transpose(1, 2, 0))
        self._settled = Settled(first + kept - 1, picture)
        # Flow and arrivals are held only where they are needed once more: a long window's are tens of megabytes.
        return arrays, make if len(arrays["frames"]) < len(images) else partial(dict, arrays)

    def _forget(self, before: int) -> None:
        """Drop what belongs to frames before a number, so that memory stays bounded."""
        self._arrived = {number: arrival for number, arrival in self._arrived.items() if number >= before}
        if self._settled is not None and self._settled.place < before:
            self._settled = None

    def _carried(
        self, first: int, images: Sequence[Picture], holes: Sequence[Mask], flows: Sequence[FlowPair]
    ) -> list[Canvas]:
        """Return what arrives in each hole from all frames before it."""
        for t, (image, hole) in enumerate(zip(images, holes, strict=True)):
            if (number := first + t) not in self._arrived:
                step = flows[t - 1].back if t else None
                self._arrived[number] = self._carrier.push(known_pixels(image, hole), hole, step)
        return [self._arrived[first + t] for t in range(len(images))]

    def _remembering(self, first: int, wanted: int) -> ColourCompletion | None:
        """Return what completes colours from a number on, where the frames from `wanted` on are only looked at."""
        if self._remembered is None:
            return None
        return self._remembered.of(first if self._settled is None else self._settled.place + 1, wanted)
