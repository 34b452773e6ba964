"""E2FGVI, and E2FGVI-HQ, which takes frames of any size."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from beside.peer import Peer, windows
from beside.stand_ins import stand_in_mmcv

__all__ = ["E2fgvi", "E2fgviHq"]

MULTIPLE = (60, 108)
"""Of its (height, width)."""


class E2fgvi(Peer):
    """One network, which sees every window whole: SPyNet's flow, deformable propagation along it, a transformer."""

    label = "E2FGVI"
    what = "E2FGVI"
    parts = "SPyNet's flow, encoder, propagation, transformer and decoder"
    needed = ("model/e2fgvi.py", "model/e2fgvi_hq.py", "model/modules/feat_prop.py", "model/modules/flow_comp.py")
    packages = ("model",)
    module = "e2fgvi"

    def more_stand_ins(self, ops: ModuleType) -> dict[str, ModuleType]:
        """Return what it wants of mmcv."""
        return stand_in_mmcv(ops.deform_conv2d)

    def build(self) -> list[Any]:
        """Return the one network."""
        return [importlib.import_module(f"model.{self.module}").InpaintGenerator()]

    def fill(self, frames: Tensor, holes: Tensor) -> Iterator[tuple[list[int], Tensor]]:
        """Fill a clip window by window; see `Peer`."""
        (network,) = self.networks
        height, width = frames.shape[-2:]
        known = _padded(frames * (1 - holes))
        for near, far in windows(frames.shape[1]):
            pictures, _flow = network(known[:, near + far], len(near))
            yield near, pictures[: len(near), :, :height, :width]


class E2fgviHq(E2fgvi):
    """The one that takes frames of any size."""

    label = "E2FGVI-HQ"
    module = "e2fgvi_hq"


def _padded(frames: Tensor) -> Tensor:
    """Mirror frames at their lower and right ends, up to multiples of what the network takes."""
    for axis, multiple in zip((-2, -1), MULTIPLE, strict=True):
        length = frames.shape[axis]
        frames = torch.cat((frames, frames.flip(axis)), axis).narrow(axis, 0, length + -length % multiple)
    return frames
