"""The flow completion network: what the flow is inside the holes, from the flow round them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.engine.errors import ModelError
from ptfan.training.model.align import ClipEnds, shift
from ptfan.training.model.blocks import convolution, upsample
from ptfan.training.model.helper_config import HelperConfig
from ptfan.training.model.residual_block import ResidualBlock

__all__ = ["CompletedFlow", "FlowCompleter", "FlowCompleterConfig"]

STILL = 0.1
"""Pixels added to the flow's scale, so that the noise of a still scene is not blown up."""


@dataclass(frozen=True, kw_only=True)
class FlowCompleterConfig(HelperConfig):
    """The architecture of a `FlowCompleter`."""

    what: ClassVar[str] = "flow completer config"

    widths: tuple[int, int, int] = (16, 32, 72)
    """Channels at the flow's own size, at a half and at a quarter of it."""
    blocks: tuple[int, int, int] = (1, 2, 3)
    """Residual blocks at these sizes; at the first two, one of them stands behind the enlargement."""
    fold: int = 8
    """A block takes 1 / fold of its channels from the next frame, as many from the previous one."""

    def __post_init__(self) -> None:
        if min(self.widths) < self.fold or self.fold < 2:
            raise ModelError(f"{self.what}: fold is {self.fold}, expected 2 to the smallest width")
        if min(self.blocks) < 1:
            raise ModelError(f"{self.what}: blocks are {self.blocks}, expected 1 or more each")


class CompletedFlow(NamedTuple):
    """What a `FlowCompleter` returns."""

    flow: Tensor
    """(N, 4, h, w): forward (u, v) and backward (u, v) in pixels of h x w."""
    spread: Tensor
    """(N, 2, h, w): the expected absolute error of forward and backward flow, pixels of h x w."""


class FlowCompleter(nn.Module):
    """A small U-shaped network on flow at a quarter of the frames' size.

    It adds to a smooth completion (pull-push) what that cannot know: where a motion ends behind a hole, and what the
    frames before and after show. Flow is normalised by its own mean and size, so that the answer follows any constant
    motion and any scale of it.
    """

    def __init__(self, config: FlowCompleterConfig | None = None) -> None:
        """Build from a config, freshly initialised: it then returns the smooth completion unchanged."""
        super().__init__()
        self.config = config or FlowCompleterConfig()
        fine, middle, coarse = self.config.widths
        first, second, third = self.config.blocks
        self.stem = convolution(5, fine, 3, bias=True)
        self.down1 = convolution(fine, middle, 3, stride=2, bias=True)
        self.blocks1 = nn.ModuleList(ResidualBlock(middle) for _ in range(second - 1))
        self.down2 = convolution(middle, coarse, 3, stride=2, bias=True)
        self.blocks2 = nn.ModuleList(ResidualBlock(coarse) for _ in range(third))
        self.up1 = convolution(coarse, middle, 1, bias=True)
        self.merge1 = ResidualBlock(middle)
        self.up0 = convolution(middle, fine, 1, bias=True)
        self.merge0 = nn.ModuleList(ResidualBlock(fine) for _ in range(first))
        self.head = convolution(fine, 6, 3, bias=True)
        nn.init.zeros_(self.head.weight)

    @property
    def multiple(self) -> int:
        """Height and width of what it sees are multiples of this."""
        return 4

    @property
    def temporal_layers(self) -> int:
        """Layers on the deepest path that look at the neighbouring frames."""
        return sum(self.config.blocks)

    def forward(self, flow: Tensor, known: Tensor, *, clips: int = 1) -> CompletedFlow:
        """Complete the flow of `clips` clips of T frames, stacked: N = clips * T.

        Args:
            flow: (N, 4, h, w), fp32: forward (u, v), backward (u, v) in pixels of h x w, smoothly completed in the
                holes. What points out of a clip is the other direction's, negated. h and w are multiples of 4.
            known: (N, 1, h, w), the share of each pixel that is known, in [0, 1].
            clips: the number of clips. Nothing passes from one to another.
        """
        ends = ClipEnds.build(flow.shape[0], clips, flow.device)
        mean = flow.mean(dim=(2, 3), keepdim=True)
        scale = (flow - mean).abs().mean(dim=(1, 2, 3), keepdim=True) + STILL
        answer = self._answer(torch.cat(((flow - mean) / scale, known), dim=1), ends)
        unknown = 1 - known
        return CompletedFlow(flow + answer[:, :4] * scale * unknown, torch.exp(answer[:, 4:]) * scale * unknown)

    def _answer(self, x: Tensor, ends: ClipEnds) -> Tensor:
        fine = self.stem(x)
        middle = self.down1(F.relu(fine))
        for block in self.blocks1:
            middle = self._shifted(block, middle, ends)
        coarse = self.down2(F.relu(middle))
        for block in self.blocks2:
            coarse = self._shifted(block, coarse, ends)
        middle = self._shifted(self.merge1, middle + upsample(self.up1(F.relu(coarse)), 2), ends)
        fine = fine + upsample(self.up0(F.relu(middle)), 2)
        for block in self.merge0:
            fine = self._shifted(block, fine, ends)
        y: Tensor = self.head(F.relu(fine))
        return y

    def _shifted(self, block: nn.Module, x: Tensor, ends: ClipEnds) -> Tensor:
        """Return what a block makes of x; its convolutions see the neighbouring frames' folds in it."""
        y: Tensor = block(x, shift(x, ends, x.shape[1] // self.config.fold))
        return y
