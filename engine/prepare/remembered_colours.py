"""Colours that the calls of one stream make up once, though the calls overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.carry_rules import sureness
from ptfan.engine.prepare.completion import times
from ptfan.engine.prepare.propagation import ColourCompletion

__all__ = ["RememberedColours"]

Array = NDArray[np.float32]
Item = TypeVar("Item")


class RememberedColours:
    """A completion of colours for a stream: what a call only looks at gets the colours of the call before.

    Guesses settle with those of a few frames to come. A stream that moves on by a frame would make up each of them
    anew, time after time, while it is a neighbour yet; they hardly change.
    """

    def __init__(self, colours: ColourCompletion) -> None:
        """Begin a stream."""
        self._colours = colours
        self._made: dict[int, Array] = {}

    def of(self, first: int, wanted: int) -> ColourCompletion:
        """Return the completion for the next call.

        Args:
            first: the number in the stream of the first picture that it will be given.
            wanted: the number of the first one that is only looked at.
        """

        def complete(pictures: Sequence[Array], confidences: Sequence[Array], holes: Sequence[Mask]) -> list[Array]:
            made = {n - first: picture for n, picture in self._made.items() if wanted <= n < first + len(pictures)}
            new = [place for place in range(len(pictures)) if place not in made]
            fresh = self._colours(_at(new, pictures), _at(new, confidences), _at(new, holes))
            completed = dict(zip(new, fresh, strict=True))
            completed |= {place: _carried_over(made[place], pictures[place], confidences[place]) for place in made}
            self._made = {first + place: picture for place, picture in completed.items() if first + place >= wanted}
            return [completed[place] for place in range(len(pictures))]

        return complete


def _at(places: Sequence[int], items: Sequence[Item]) -> list[Item]:
    return [items[place] for place in places]


def _carried_over(made: Array, picture: Array, confidence: Array) -> Array:
    """Return made-up colours where nothing better has come since."""
    return made + times(picture - made, sureness(confidence))
