"""Deformable convolution: torchvision's where it is installed, else one of our own in torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["deform_conv2d"]

Numbers = int | Sequence[int]


def deform_conv2d(
    x: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    mask: Tensor | None = None,
) -> Tensor:
    """Convolve what lies at shifted places, as torchvision's function of that name does: sample, then multiply.

    Args:
        x: (N, C, H, W).
        offset: (N, 2 G K, H', W'): how far each of K taps of a kernel is moved, (y, x) in pixels, in G groups of
            channels.
        weight: (D, C, kernel height, kernel width), K taps; convolutions in groups are not for this one.
        bias: (D,).
        stride: of the kernel, as for a plain convolution.
        padding: of zeros, pixels.
        dilation: pixels between taps.
        mask: (N, G K, H', W'), by which samples are multiplied.

    Returns:
        (N, D, H', W').
    """
    count, taps, (height, width) = x.shape[0], weight[0, 0].numel(), offset.shape[-2:]
    groups = offset.shape[1] // (2 * taps)
    places = _taps(offset, weight.shape[-2:], _pair(stride), _pair(padding), _pair(dilation))
    sampled = _sample(x.reshape(count * groups, -1, *x.shape[-2:]), places)
    if mask is not None:
        sampled = sampled * mask.reshape(count * groups, 1, taps * height, width)
    columns = sampled.reshape(count, -1, height * width)
    answer = (weight.flatten(1) @ columns).reshape(count, -1, height, width)
    return answer if bias is None else answer + bias[:, None, None]


def _pair(value: Numbers) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _taps(
    offset: Tensor,
    kernel: Sequence[int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> Tensor:
    """Return where each tap samples, (N G, K H', W', 2), (y, x) in pixels."""
    height, width = offset.shape[-2:]
    rows, columns = (
        (step * torch.arange(length) - pad)[None] + far * torch.arange(size)[:, None]
        for step, length, pad, far, size in zip(stride, (height, width), padding, dilation, kernel, strict=True)
    )
    y = rows[:, None, :, None].expand(*kernel, height, width)
    x = columns[None, :, None, :].expand(*kernel, height, width)
    still = torch.stack((y, x), -1).to(offset).reshape(1, -1, width, 2)
    moved = offset.reshape(-1, len(y.flatten(0, 1)), 2, height, width).permute(0, 1, 3, 4, 2)
    return still + moved.reshape(-1, still.shape[1], width, 2)


def _sample(x: Tensor, places: Tensor) -> Tensor:
    """Return pixels between pixels, zeros outside: (N, C, H, W) at (N, H', W', 2) gives (N, C, H', W')."""
    size = torch.tensor(x.shape[-2:]).to(places)
    return F.grid_sample(x, (2 * (places + 0.5) / size - 1).flip(-1), align_corners=False)
