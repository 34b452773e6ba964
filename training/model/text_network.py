"""The network that finds text which was laid over a video: captions, subtitles, credits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.training.model.u_shape import UShape, UShapeConfig

__all__ = ["TextNetwork", "TextNetworkConfig"]

FOLDED = 2
"""Pixels along each axis that become channels: letters are found at half of the size, and drawn at the whole."""
RARE = -2.0
"""The bias of a fresh network's scores: most pixels are none of a letter."""


@dataclass(frozen=True, kw_only=True)
class TextNetworkConfig(UShapeConfig):
    """The architecture of a `TextNetwork`; its finest size is half of the picture's."""

    what: ClassVar[str] = "text network config"

    widths: tuple[int, ...] = (16, 32, 48, 64)
    blocks: tuple[int, ...] = (1, 2, 2, 3)


class TextNetwork(UShape):
    """A U-shaped network on a part of a frame and the same part of the frame before.

    Letters have the same colour all over, an outline or a shadow, and stand still while what is behind them moves.
    """

    def __init__(self, config: TextNetworkConfig | None = None) -> None:
        """Build from a config, freshly initialised: it then finds nothing."""
        super().__init__(6 * FOLDED**2, FOLDED**2, config or TextNetworkConfig())
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, RARE)

    @property
    def multiple(self) -> int:
        """Height and width of the pictures are multiples of this."""
        return FOLDED * super().multiple

    def forward(self, picture: Tensor, before: Tensor) -> Tensor:
        """Look for text in N pictures.

        Args:
            picture: (N, 3, h, w), RGB in [0, 1]; h and w are multiples of `multiple`.
            before: (N, 3, h, w), the same place in the frame before; the picture again where there is none.

        Returns:
            (N, 1, h, w), scores: text, its outline, shadow and plate are where they are above 0.
        """
        shown = torch.cat((2 * picture - 1, 4 * (picture - before)), dim=1)
        return F.pixel_shuffle(self.answer(F.pixel_unshuffle(shown, FOLDED)), FOLDED)
