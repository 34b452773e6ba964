"""The colour completion network: what may have been where nothing was carried into a hole, from all round it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.engine.errors import ModelError
from ptfan.engine.prepare.carry_rules import SURE
from ptfan.training.model.blocks import convolution
from ptfan.training.model.helper_config import HelperConfig
from ptfan.training.model.residual_block import ResidualBlock

__all__ = ["ColourCompleter", "ColourCompleterConfig"]

FLAT = 0.03
"""Added to a picture's contrast, so that the noise of a flat one is not blown up."""
MIDDLE = 0.5
"""Subtracted from confidences and holes, so that they have both signs."""


@dataclass(frozen=True, kw_only=True)
class ColourCompleterConfig(HelperConfig):
    """The architecture of a `ColourCompleter`."""

    what: ClassVar[str] = "colour completer config"

    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    """Channels at the pictures' own size, at a half of it, and so on."""
    blocks: tuple[int, ...] = (0, 2, 2, 3, 3)
    """Residual blocks at these sizes; at all but the coarsest, one of them stands behind the enlargement."""

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.blocks) or not 2 <= len(self.widths) <= 5:
            raise ModelError(
                f"{self.what}: {len(self.widths)} widths and {len(self.blocks)} blocks, "
                "expected as many of both, 2 to 5"
            )
        if min(self.widths) < 1 or min(self.blocks) < 0:
            raise ModelError(f"{self.what}: expected widths of 1 or more, and blocks of 0 or more")


class ColourCompleter(nn.Module):
    """A U-shaped network on a picture at a quarter of the frame's size, which sees far round a hole.

    It adds to a picture whose hole is filled smoothly where nothing was carried: lines and edges that end at the hole
    go on in it, as far as they can be told. The picture is normalised by its own mean and contrast.
    """

    def __init__(self, config: ColourCompleterConfig | None = None) -> None:
        """Build from a config, freshly initialised: it then returns the picture unchanged."""
        super().__init__()
        self.config = config or ColourCompleterConfig()
        widths, blocks = self.config.widths, self.config.blocks
        finer, coarser = widths[:-1], widths[1:]
        steps = list(zip(finer, coarser, strict=True))
        self.stem = convolution(5, widths[0], 3, bias=True)
        self.down = nn.ModuleList(convolution(fine, coarse, 3, stride=2, bias=True) for fine, coarse in steps)
        self.before = nn.ModuleList(_row(width, n - 1) for width, n in zip(coarser, blocks[1:], strict=True))
        self.bottom = _row(widths[-1], min(1, blocks[-1]))
        self.up = nn.ModuleList(convolution(coarse, fine, 1, bias=True) for fine, coarse in steps)
        self.after = nn.ModuleList(_row(width, min(1, n)) for width, n in zip(finer, blocks[:-1], strict=True))
        self.head = convolution(widths[0], 3, 3, bias=True)
        nn.init.zeros_(self.head.weight)

    @property
    def multiple(self) -> int:
        """Height and width of what it sees are multiples of this."""
        return 1 << len(self.down)

    @property
    def temporal_layers(self) -> int:
        """None: it sees each picture by itself."""
        return 0

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
        return picture + self._answer(shown) * scale * hole * doubtful

    def _answer(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        skipped = []
        for down, before in zip(self.down, self.before, strict=True):
            skipped.append(x)
            x = before(down(F.relu(x)))
        x = self.bottom(x)
        for up, after in reversed(list(zip(self.up, self.after, strict=True))):
            x = skipped.pop() + F.interpolate(up(F.relu(x)), scale_factor=2.0, mode="bilinear", align_corners=False)
            x = after(x)
        y: Tensor = self.head(F.relu(x))
        return y


def _row(channels: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
