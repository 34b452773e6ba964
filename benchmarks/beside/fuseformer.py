"""FuseFormer."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from beside.peer import Peer, windows

__all__ = ["FuseFormer"]


class FuseFormer(Peer):
    """One network, which sees every window whole."""

    label = "FuseFormer"
    what = "FuseFormer"
    parts = "encoder, transformer and decoder"
    needed = ("model/fuseformer.py", "core/spectral_norm.py")
    packages = ("model", "core")

    def build(self) -> list[Any]:
        """Return the one network."""
        return [importlib.import_module("model.fuseformer").InpaintGenerator()]

    def fill(self, frames: Tensor, holes: Tensor) -> Iterator[tuple[list[int], Tensor]]:
        """Fill a clip window by window; see `Peer`."""
        (network,) = self.networks
        known = frames * (1 - holes)
        for near, far in windows(frames.shape[1]):
            yield near, network(known[:, near + far])[: len(near)]
