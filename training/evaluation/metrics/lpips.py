"""Learned perceptual distances: LPIPS, and its shift-tolerant kin ST-LPIPS."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ptfan.engine.errors import ModelError
from ptfan.engine.frame import Mask
from ptfan.training.features import FeatureNetwork, features, weights_file
from ptfan.training.weights import read_weights

__all__ = ["PerceptualDistance"]

HEAD_KEY = re.compile(r"^lin(\d)\.model\.1\.weight$")
EPSILON = 1e-10


class PerceptualDistance:
    """LPIPS (Zhang et al., 2018) or ST-LPIPS (Ghildyal and Liu, 2022): the formula is one, the networks differ.

    At each of five layers the features of both pictures are divided by their length over the channels, and their
    squared difference is weighted by channel and summed: a map of the distance. Reported are the sum over the layers of
    the maps' means, which is the figure that the packages lpips and stlpips-pytorch give, and the same inside the hole:
    of the maps, enlarged to the picture's size (bilinear), the mean over the hole's pixels.
    """

    def __init__(self, trunk: str | Path, heads: Path | None = None) -> None:
        """Load the weights.

        Args:
            trunk: weights of the network, see `ptfan.training.features.features`.
            heads: weights of the channels, as in the package lpips (`weights/v0.1/alex.pth` or `vgg.pth`); None takes
                them from the trunk's file, where ST-LPIPS has them.

        Raises:
            InputNotFoundError: a file is not there.
            ModelError: a file holds other weights, or the heads do not fit the trunk.
        """
        self.network: FeatureNetwork = features(trunk)
        self.heads = _heads(Path(heads) if heads else weights_file(trunk))
        widths = [_width(self.network, layer) for layer in self.network.layers]
        if [head.shape[1] for head in self.heads] != widths:
            got = ", ".join(str(head.shape[1]) for head in self.heads) or "none"
            raise ModelError(f"{heads or trunk}: weights of {got} channels, expected {widths}: heads of this network")

    @property
    def name(self) -> str:
        """`LPIPS` or `ST-LPIPS`; their figures cannot be compared with one another."""
        return "ST-LPIPS" if self.network.name.endswith("-st") else "LPIPS"

    @torch.inference_mode()
    def __call__(
        self, frames: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8], Mask]]
    ) -> tuple[list[float], list[float]]:
        """Return the distances of whole frames, and those inside the holes (nan without one).

        Args:
            frames: result (H, W, 3) RGB of 64x64 or more, truth (H, W, 3) and hole (H, W) of each.
        """
        whole, inside = [], []
        for result, original, hole in frames:
            maps = list(self._maps(_tensor(result, original)))
            whole.append(float(sum(value.double().mean() for value in maps)))
            size = hole.shape
            total = sum(F.interpolate(value, size=size, mode="bilinear", align_corners=False) for value in maps)
            assert isinstance(total, Tensor)
            inside.append(float(total[0, 0][torch.from_numpy(hole)].double().mean()))
        return whole, inside

    def _maps(self, pair: Tensor) -> Iterator[Tensor]:
        """Yield the distance at each layer, (1, 1, h, w)."""
        for value, head in zip(self.network(pair).values(), self.heads, strict=True):
            unit = value / (value.square().sum(dim=1, keepdim=True).sqrt() + EPSILON)
            yield F.conv2d((unit[:1] - unit[1:]).square(), head)


def _heads(path: Path) -> list[Tensor]:
    weights = read_weights(path)
    found = {int(match[1]): value for key, value in weights.items() if (match := HEAD_KEY.match(key))}
    if not found:
        raise ModelError(f"{path}: no weights of channels (lin0.model.1.weight ...); give LPIPS's heads as well")
    return [found[place].float() for place in sorted(found)]


def _width(network: FeatureNetwork, layer: str) -> int:
    convolutions = [part for part in network.blocks[layer].modules() if isinstance(part, torch.nn.Conv2d)]
    return convolutions[-1].out_channels


def _tensor(*pictures: NDArray[np.uint8]) -> Tensor:
    stacked = np.stack(pictures).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(stacked)).float() / 255.0
