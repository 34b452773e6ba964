"""Who is whose neighbour in time: what the temporal layers ask, answered for whole clips here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from ptfan.engine.spec import WarpConvention
from ptfan.training.model.align import MotionPyramid, shift_and_align

__all__ = ["Aligned", "ClipTimeline", "Place", "Timeline"]


class Aligned(NamedTuple):
    """What a temporal layer works on: features of the same frames."""

    own: Tensor
    """The layer's input as it is, (N, C, h, w)."""
    shifted: Tensor
    """The same with two folds of its channels from neighbouring frames."""


@dataclass(frozen=True)
class Place:
    """Where a temporal layer stands in the network."""

    depth: int
    """Its number on the deepest path to it, counted from 1: the temporal layers passed by what leaves it."""
    size: int
    """It works at 1 / size of the frames' size."""


class Timeline(ABC):
    """What lies before and after the frames that a network is at.

    The network itself is one definition. A timeline decides whether it sees a whole clip, or a frame at a time.
    """

    def __init__(self, lookahead: int) -> None:
        """Layers deeper than `lookahead` take both folds from the previous frame."""
        self.lookahead = lookahead

    @abstractmethod
    def align(self, x: Tensor, place: Place, fold: int, convention: WarpConvention | None) -> Aligned:
        """Shift and align a layer's input, see `shift_and_align`.

        Args:
            x: (N, C, h, w).
            place: the layer's.
            fold: channels per direction.
            convention: where the warp samples; None shifts without warping.
        """

    @abstractmethod
    def wait(self, x: Tensor, *, since: int, until: int) -> Tensor:
        """Bring features that have passed `since` temporal layers to the frames of those that have passed `until`."""


class ClipTimeline(Timeline):
    """Whole clips at once: every layer is at every frame, and nothing waits."""

    def __init__(self, motion: MotionPyramid, lookahead: int) -> None:
        """Take the clips' motion."""
        super().__init__(lookahead)
        self._motion = motion

    def align(self, x: Tensor, place: Place, fold: int, convention: WarpConvention | None) -> Aligned:
        """Shift and align all frames."""
        motion, ahead = self._motion.at(place.size), place.depth <= self.lookahead
        return Aligned(x, shift_and_align(x, motion, fold, convention, ahead=ahead))

    def wait(self, x: Tensor, *, since: int, until: int) -> Tensor:
        """Return x: all of it is there."""
        return x
