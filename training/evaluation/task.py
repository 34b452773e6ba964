"""What is evaluated: a clip with one kind of hole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.flow import FlowPair, complete_flows
from ptfan.training.data.pixels import Pixels, to_floats
from ptfan.training.evaluation.metrics.warping import field_occlusion

__all__ = ["Footage", "Task"]


@dataclass(frozen=True, eq=False)
class Footage:
    """The complete frames of a clip, and what is computed from them once for all holes and methods."""

    clip: str
    """The clip's name."""
    frames: tuple[Pixels, ...]
    """T frames."""

    @cached_property
    def flows(self) -> list[FlowPair]:
        """The flow of the complete clip, T - 1 pairs: what warping errors are measured along."""
        return complete_flows([to_floats(frame) for frame in self.frames])

    @cached_property
    def occlusions(self) -> list[Mask]:
        """Where the warping error of whole frames does not look, T - 1 masks (H, W)."""
        return [field_occlusion(pair.forward, pair.backward) for pair in self.flows]


@dataclass(frozen=True, eq=False)
class Task:
    """A clip with one kind of hole."""

    footage: Footage
    """The clip; its frames are the truth."""
    kind: str
    """The hole's kind."""
    holes: tuple[Mask, ...]
    """T masks (H, W)."""

    @property
    def truth(self) -> tuple[Pixels, ...]:
        """T frames (H, W, 3)."""
        return self.footage.frames

    @property
    def counted(self) -> list[int]:
        """The frames that have a hole: the others would count as perfect."""
        return [t for t, hole in enumerate(self.holes) if hole.any()]
