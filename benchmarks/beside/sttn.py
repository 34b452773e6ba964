"""STTN, and what video-subtitle-remover has made of it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from beside.peer import Peer, windows

__all__ = ["Sttn", "SubtitleRemover"]


class Sttn(Peer):
    """Each frame is encoded once; a transformer and a decoder see every window."""

    label = "STTN"
    what = "STTN"
    parts = "encoder, transformer and decoder"
    needed = ("model/sttn.py", "core/spectral_norm.py")
    packages = ("model", "core")

    def build(self) -> list[Any]:
        """Return the one network."""
        return [importlib.import_module("model.sttn").InpaintGenerator()]

    def fill(self, frames: Tensor, holes: Tensor) -> Iterator[tuple[list[int], Tensor]]:
        """Fill a clip window by window; see `Peer`."""
        (network,) = self.networks
        features = network.encoder((frames * (1 - holes))[0])
        for near, far in windows(len(features)):
            seen = network.infer(features[near + far], holes[0, near + far])
            yield near, torch.tanh(network.decoder(seen[: len(near)]))


class SubtitleRemover(Peer):
    """STTN for a strip of the frame, which it is not told the hole in: the default of video-subtitle-remover."""

    label = "video-subtitle-remover (STTN, 640x120)"
    what = "video-subtitle-remover"
    parts = "encoder, transformer and decoder, of a strip"
    size = (640, 120)
    needed = ("backend/inpaint/sttn/auto_sttn.py", "backend/inpaint/utils/spectral_norm.py")
    packages = ("backend",)

    def build(self) -> list[Any]:
        """Return the one network."""
        return [importlib.import_module("backend.inpaint.sttn.auto_sttn").InpaintGenerator()]

    def fill(self, frames: Tensor, holes: Tensor) -> Iterator[tuple[list[int], Tensor]]:
        """Fill a clip window by window; see `Peer`."""
        (network,) = self.networks
        features = network.encoder(frames[0])
        for near, far in windows(len(features)):
            seen = network.infer(features[near + far])
            yield near, torch.tanh(network.decoder(seen[: len(near)]))
