"""A picture of what a helper network was given, made of it, and should have made."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["enlarged_strip"]

ENLARGED = 4
"""Pixels of the picture to one of the network's, along each axis."""


def enlarged_strip(pictures: Sequence[Tensor]) -> Tensor:
    """Return n pictures (3, h, w) side by side, on the CPU: (3, ENLARGED h, n ENLARGED w) in [0, 1]."""
    row = torch.cat([picture.float().cpu() for picture in pictures], dim=2)
    return row.repeat_interleave(ENLARGED, dim=1).repeat_interleave(ENLARGED, dim=2).clamp(0.0, 1.0)
