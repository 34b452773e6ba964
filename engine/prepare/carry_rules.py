"""How the confidence of pixels that are carried along the flow falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Mask

__all__ = ["SURE", "CarryRules", "sureness"]

SURE = 1.5
"""Confidence times this, up to 1, is how far a carried colour stands by itself. The network that completes colours
leaves it alone as far: it was trained with this very number."""


@dataclass(frozen=True, kw_only=True)
class CarryRules:
    """How the confidence of a pixel that is carried along the flow falls."""

    decay: float = 0.97
    """What is left of it after one step, where the flow's error is expected to be zero."""
    caution: float = 0.2
    """By how much its logarithm falls further, for every pixel by which the flow is expected to be wrong."""
    blind: float = 0.9
    """What is left of it after one step where nothing is known of the flow's error."""
    faint: float = 0.05
    """Below this, a carried pixel is dropped."""
    sharp: bool = True
    """Sample by Lanczos' kernel of 8 x 8 pixels where all of these are known, instead of bilinearly: every step samples
    anew, and bilinear steps add up to a blur that is easily seen. Twenty times the work of a bilinear step, on what
    arrives in the hole alone."""
    lit: bool = True
    """Let what is carried follow the light where that changes; see `light_change`."""
    settling: float = 0.9
    """How much of a made-up colour is taken from the frame before and the frame after: what no frame shows is a guess,
    and guesses that differ from frame to frame flicker. 0 leaves every frame its own."""

    def __post_init__(self) -> None:
        for name in ("decay", "blind"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise InputError(f"carry rules: {name} is {getattr(self, name)}, expected more than 0, at most 1")
        if not 0.0 <= self.settling < 1.0:
            raise InputError(f"carry rules: settling is {self.settling}, expected 0 to below 1")
        if not 0.0 < self.faint < 1.0 or self.caution < 0.0:
            raise InputError(
                f"carry rules: faint is {self.faint} and caution {self.caution}, expected 0 to 1, and 0 or more"
            )

    def kept(self, valid: Mask, doubt: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """Return the share of its confidence that a pixel keeps on a step, (h, w).

        Args:
            valid: (h, w), True where the flow can be used.
            doubt: (h, w) pixels, the flow's expected error, if that is known.
        """
        if doubt is None:
            return np.asarray(valid * np.float32(self.blind))
        kept: NDArray[np.float32] = np.exp(doubt * np.float32(-self.caution)) * np.float32(self.decay)
        kept *= valid
        return kept


def sureness(confidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far carried colours of a confidence, 0 to 1, stand by themselves; the rest is a guess."""
    return np.asarray(np.minimum(np.float32(1), np.float32(SURE) * confidence))
