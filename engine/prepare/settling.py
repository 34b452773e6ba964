"""Made-up colours that settle over time: guesses that differ from frame to frame flicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask, hole_box
from ptfan.engine.prepare.carry_rules import sureness
from ptfan.engine.prepare.completion import times
from ptfan.engine.prepare.flow import FlowPair, Step
from ptfan.engine.prepare.light import Light
from ptfan.engine.prepare.validity import targets

__all__ = ["Guesses", "Picture", "Settled"]

Picture = NDArray[np.float32]
"""(H, W, 3) RGB in [0, 1]."""
SEAM = 6
"""Frames over which the frames to come gain and lose their say in made-up colours, where one call follows another."""


@dataclass(frozen=True, eq=False)
class Settled:
    """A frame as an earlier call filled it: those behind it settle with it."""

    place: int
    """Which of a clip's frames it is, from 0."""
    picture: Picture
    """(H, W, 3)."""


@dataclass(frozen=True, eq=False)
class Guesses:
    """The frames of a clip with made-up colours that are still to settle."""

    filled: Sequence[Picture]
    """T pictures (H, W, 3)."""
    confidences: Sequence[NDArray[np.float32]]
    """T planes (H, W): what is sure does not take part."""
    holes: Sequence[Mask]
    """T masks (H, W)."""
    flows: Sequence[FlowPair]
    """T - 1 pairs."""
    lights: Sequence[Light | None]
    """T - 1: the light from each frame to the one before."""

    def settled(self, settling: float, wanted: int, begin: int | None) -> list[Picture]:
        """Mix made-up colours with those of the frames before and after, along the flow: a mean of one pass each way.

        Where an earlier call has settled a frame, or a later one will go on, the frames to come lose their say towards
        that place: the two calls know different ones, and the seam would be seen.

        Args:
            settling: how much is taken from the frame before.
            wanted: how many frames are asked for.
            begin: the place of a frame that has settled already; None where there is none.
        """
        onward, backward = list(self.filled[:wanted]), list(self.filled)
        for t in range(1, wanted):
            light = self.lights[t - 1]
            onward[t] = self._mixed(t, onward[t - 1], self.flows[t - 1].back, light and light.inverse, settling)
        for t in range(len(backward) - 2, -1, -1):
            backward[t] = self._mixed(t, backward[t + 1], self.flows[t].ahead, self.lights[t], settling)
        for t in range(wanted):
            box = hole_box(self.holes[t])
            if box is not None:  # outside of it both are the same
                part, share = onward[t][box.slices], self._share_to_come(t, wanted, begin)
                part[...] = cv2.addWeighted(part, 1.0 - share, backward[t][box.slices], share, 0.0)
        return onward

    def _share_to_come(self, t: int, wanted: int, begin: int | None) -> float:
        """Return the share of the pass that comes from the clip's end."""
        seam = min(SEAM, (wanted - 1 - (begin or 0)) // 4)
        since = 1.0 if begin is None or not seam else (t - begin) / (seam + 1)
        until = 1.0 if wanted == len(self.filled) or not seam else (wanted - t) / (seam + 1)
        return 0.5 * min(1.0, max(0.0, since), until)

    def _mixed(self, t: int, other: Picture, step: Step, light: Light | None, settling: float) -> Picture:
        """Return a frame whose made-up colours are mixed with those of its neighbour, which is settled already."""
        box = hole_box(self.holes[t])
        if box is None or light is None:
            return self.filled[t]
        seen = cv2.remap(other, *targets(step.flow, box), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        picture: Picture = self.filled[t].copy()
        part = picture[box.slices]
        guessed = settling * (1.0 - sureness(self.confidences[t][box.slices]))
        part += times(light.on_picture(seen) - part, guessed * (step.valid & self.holes[t])[box.slices])
        return picture
