"""A U-shaped network on pictures: down to a coarse grid that sees far, and up again with what finer ones have kept."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.engine.errors import ModelError
from ptfan.training.model.blocks import convolution
from ptfan.training.model.helper_config import HelperConfig
from ptfan.training.model.residual_block import ResidualBlock

__all__ = ["UShape", "UShapeConfig"]


@dataclass(frozen=True, kw_only=True)
class UShapeConfig(HelperConfig):
    """The architecture of a `UShape`."""

    widths: tuple[int, ...]
    """Channels at the finest size, at a half of it, and so on."""
    blocks: tuple[int, ...]
    """Residual blocks at these sizes; at all but the coarsest, one of them stands behind the enlargement."""

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.blocks) or not 2 <= len(self.widths) <= 5:
            raise ModelError(
                f"{self.what}: {len(self.widths)} widths and {len(self.blocks)} blocks, "
                "expected as many of both, 2 to 5"
            )
        if min(self.widths) < 1 or min(self.blocks) < 0:
            raise ModelError(f"{self.what}: expected widths of 1 or more, and blocks of 0 or more")


class UShape(nn.Module):
    """The layers; subclasses say what is shown to them, and what their answer means."""

    def __init__(self, inputs: int, outputs: int, config: UShapeConfig) -> None:
        """Build from a config, freshly initialised: the answer is then zero.

        Args:
            inputs: channels of what is shown.
            outputs: channels of the answer.
            config: the architecture.
        """
        super().__init__()
        self.config = config
        widths, blocks = config.widths, config.blocks
        finer, coarser = widths[:-1], widths[1:]
        steps = list(zip(finer, coarser, strict=True))
        self.stem = convolution(inputs, widths[0], 3, bias=True)
        self.down = nn.ModuleList(convolution(fine, coarse, 3, stride=2, bias=True) for fine, coarse in steps)
        self.before = nn.ModuleList(_row(width, n - 1) for width, n in zip(coarser, blocks[1:], strict=True))
        self.bottom = _row(widths[-1], min(1, blocks[-1]))
        self.up = nn.ModuleList(convolution(coarse, fine, 1, bias=True) for fine, coarse in steps)
        self.after = nn.ModuleList(_row(width, min(1, n)) for width, n in zip(finer, blocks[:-1], strict=True))
        self.head = convolution(widths[0], outputs, 3, bias=True)
        nn.init.zeros_(self.head.weight)

    @property
    def multiple(self) -> int:
        """Height and width of what is shown are multiples of this."""
        return 1 << len(self.down)

    @property
    def temporal_layers(self) -> int:
        """None: it sees each picture by itself."""
        return 0

    def answer(self, x: Tensor) -> Tensor:
        """Return (N, outputs, h, w) of (N, inputs, h, w)."""
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
