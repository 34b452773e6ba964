"""How much a network computes."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from ptfan.engine.spec import CLIP_CHANNELS
from ptfan.training.model import Generator

__all__ = ["flop_per_pixel"]


def flop_per_pixel(generator: Generator) -> float:
    """Count the floating-point operations of a frame, by pixel of the frame; a multiply-add is two.

    Convolutions are counted, next to which all else is small. The count is in proportion to the frame's size.
    """
    side = 8 * generator.config.size_multiple
    parameter = next(generator.parameters())
    zeros = [torch.zeros(1, channels, side, side).to(parameter) for channels in CLIP_CHANNELS.values()]
    trained, counter = generator.training, FlopCounterMode(display=False)
    generator.eval()
    with torch.inference_mode(), counter:
        generator(*zeros)
    generator.train(trained)
    return counter.get_total_flops() / side**2
