"""The colour completion network: what may have been where nothing was carried into a hole, from all round it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ptfan.engine.prepare.carry_rules import SURE
from ptfan.training.model.u_shape import UShape, UShapeConfig

__all__ = ["ColourCompleter", "ColourCompleterConfig"]

FLAT = 0.03
"""Added to a picture's contrast, so that the noise of a flat one is not blown up."""
MIDDLE = 0.5
"""Subtracted from confidences and holes, so that they have both signs."""


@dataclass(frozen=True, kw_only=True)
class ColourCompleterConfig(UShapeConfig):
    """The architecture of a `ColourCompleter`."""

    what: ClassVar[str] = "colour completer config"

    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    blocks: tuple[int, ...] = (0, 2, 2, 3, 3)


class ColourCompleter(UShape):
    """A U-shaped network on a picture at a quarter of the frame's size, which sees far round a hole.

    It adds to a picture whose hole is filled smoothly where nothing was carried: lines and edges that end at the hole
    go on in it, as far as they can be told. The picture is normalised by its own mean and contrast.
    """

    def __init__(self, config: ColourCompleterConfig | None = None) -> None:
        """Build from a config, freshly initialised: it then returns the picture unchanged."""
        super().__init__(5, 3, config or ColourCompleterConfig())

    def forward(self, picture: Tensor, confidence: Tensor, hole: Tensor) -> Tensor:
        """Complete N pictures, each by itself.

        Args:
            picture: (N, 3, h, w), RGB, filled in the holes; h and w are multiples of `multiple`.
            confidence: (N, 1, h, w) in [0, 1]: how far what fills the holes is known.
            hole: (N, 1, h, w), the share of each pixel that is hole.

        Returns:
            (N, 3, h, w); where there is no hole, or what fills it is sure, the picture.
        """
        mean = picture.mean(dim=(2, 3), keepdim=True)
        scale = (picture - mean).abs().mean(dim=(1, 2, 3), keepdim=True) + FLAT
        shown = torch.cat(((picture - mean) / scale, confidence - MIDDLE, hole - MIDDLE), dim=1)
        # Answers where a colour is sure would help the clips of the training alone.
        doubtful = 1 - (SURE * confidence).clamp(max=1.0)
        return picture + self.answer(shown) * scale * hole * doubtful
