"""A generator for inference: its batch norms folded away, in double precision, before any rounding to fp16."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ptfan.training.model import Generator
from ptfan.training.model.blocks import Bottleneck

__all__ = ["folded"]


def folded(generator: Generator) -> Generator:
    """Return a copy in evaluation mode whose convolutions contain the batch norms that follow them.

    A bottleneck's first batch norm follows a gate, not a convolution. It stays, reduced to a scale and a shift.
    """
    result = copy.deepcopy(generator).double().eval().requires_grad_(False)
    _fuse(result.encoder, "stem", "norm")
    for module in result.modules():
        if isinstance(module, Bottleneck):
            _fold_bottleneck(module)
    return result.float()


def _fold_bottleneck(block: Bottleneck) -> None:
    block.norm1 = _scale_and_shift(block.norm1)
    _fuse(block, "spatial", "norm2")
    _fuse(block, "expand", "norm3")
    if isinstance(block.shortcut, nn.Sequential):
        _fuse(block.shortcut, "0", "1")


def _fuse(parent: nn.Module, convolution: str, norm: str) -> None:
    """Fold one child of a module into another."""
    before, after = parent.get_submodule(convolution), parent.get_submodule(norm)
    assert isinstance(before, nn.Conv2d)
    assert isinstance(after, nn.BatchNorm2d)
    parent.register_module(convolution, fuse_conv_bn_eval(before, after))
    parent.register_module(norm, nn.Identity())


def _scale_and_shift(norm: nn.BatchNorm2d) -> nn.BatchNorm2d:
    """Return a batch norm of mean 0 and variance 1 that does the same."""
    result = copy.deepcopy(norm)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        result.weight.copy_(scale)
        result.bias.copy_(norm.bias - norm.running_mean * scale)
    assert result.running_mean is not None
    assert result.running_var is not None
    result.running_mean.zero_()
    result.running_var.fill_(1.0)
    result.eps = 0.0
    return result
