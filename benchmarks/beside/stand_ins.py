"""Modules in place of libraries that published code imports."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from beside.deformable import deform_conv2d

__all__ = ["installed_torchvision", "stand_in_mmcv", "stand_in_torchvision"]


def installed_torchvision() -> ModuleType | None:
    """Return torchvision if it can be used."""
    try:
        return importlib.import_module("torchvision")
    except (ImportError, RuntimeError):  # it is not there, or was built for another torch
        return None


def stand_in_torchvision() -> dict[str, ModuleType]:
    """Return what most imports of torchvision want: a name, and deformable convolution."""
    return _modules({"torchvision": {}, "torchvision.models": {}, "torchvision.ops": {"deform_conv2d": deform_conv2d}})


def stand_in_mmcv(deform: Any) -> dict[str, ModuleType]:
    """Return what E2FGVI wants of mmcv.

    Args:
        deform: a function like torchvision's `deform_conv2d`, which does the work.
    """

    def modulated_deform_conv2d(
        x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, bias: Tensor, *how: Any
    ) -> Tensor:
        stride, padding, dilation, *_groups = how
        answer: Tensor = deform(x, offset, weight, bias, stride, padding, dilation, mask)
        return answer

    return _modules(
        {
            "mmcv": {},
            "mmcv.cnn": {"ConvModule": ConvModule, "constant_init": constant_init},
            "mmcv.ops": {
                "ModulatedDeformConv2d": ModulatedDeformConv2d,
                "modulated_deform_conv2d": modulated_deform_conv2d,
            },
            "mmcv.runner": {"load_checkpoint": lambda *arguments, **options: None},
        }
    )


def _modules(contents: Mapping[str, Mapping[str, Any]]) -> dict[str, ModuleType]:
    """Make modules, parents before what is in them."""
    made: dict[str, ModuleType] = {}
    for name, attributes in contents.items():
        made[name] = ModuleType(name)
        vars(made[name]).update(attributes)
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(made[parent], last, made[name])
    return made


class ConvModule(nn.Sequential):
    """A convolution, and rectification where it is asked for; norms are not for this one."""

    def __init__(self, *, act_cfg: Mapping[str, str] | None, norm_cfg: None, **convolution: Any) -> None:
        """Take mmcv's arguments."""
        super().__init__(nn.Conv2d(**convolution), *([] if act_cfg is None else [nn.ReLU(inplace=True)]))


class ModulatedDeformConv2d(nn.Module):
    """The weights of a deformable convolution; who inherits from it computes offsets and calls the function."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, padding: int = 0, deform_groups: int = 1
    ) -> None:
        """Take those of mmcv's arguments that E2FGVI gives."""
        super().__init__()
        self.in_channels, self.out_channels, self.deform_groups = in_channels, out_channels, deform_groups
        self.stride, self.padding, self.dilation, self.groups = 1, padding, 1, 1
        plain = nn.Conv2d(in_channels, out_channels, kernel_size)
        self.weight, self.bias = plain.weight, plain.bias


def constant_init(module: nn.Module, val: float, bias: float = 0) -> None:
    """Fill a layer's weights and biases."""
    for name, value in (("weight", val), ("bias", bias)):
        parameter = getattr(module, name, None)
        if isinstance(parameter, torch.Tensor):
            nn.init.constant_(parameter, value)
