"""ProPainter."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from beside.peer import Peer, windows

__all__ = ["ProPainter"]

FLOW_FRAMES = 12
"""Frames that its test gives RAFT at a time, at this size."""
RAFT_STEPS = 20


class ProPainter(Peer):
    """RAFT's flow, its completion, pixels carried along it, then propagation and a transformer window by window.

    The way that clips of up to 80 frames go.
    """

    label = "ProPainter"
    what = "ProPainter"
    parts = "RAFT's flow, flow completion, image propagation, encoder, propagation, transformer and decoder"
    needed = (
        "RAFT/raft.py",
        "model/modules/flow_comp_raft.py",
        "model/recurrent_flow_completion.py",
        "model/propainter.py",
    )
    packages = ("model", "RAFT")

    def build(self) -> list[Any]:
        """Return the three networks: flow, its completion, and the one that fills."""
        flow = importlib.import_module("model.modules.flow_comp_raft").RAFT_bi("no weights", "cpu")
        completion = importlib.import_module("model.recurrent_flow_completion").RecurrentFlowCompleteNet()
        return [flow, completion, importlib.import_module("model.propainter").InpaintGenerator()]

    def fill(self, frames: Tensor, holes: Tensor) -> Iterator[tuple[list[int], Tensor]]:
        """Fill a clip window by window; see `Peer`."""
        _, completion, network = self.networks
        flows = self._flow(frames)
        flows = completion.combine_flow(flows, completion.forward_bidirect_flow(flows, holes)[0], holes)
        carried, left = network.img_propagation(frames * (1 - holes), flows, holes, "nearest")
        known, left = torch.where(holes > 0, carried.view_as(frames), frames), left.view_as(holes)
        for near, far in windows(frames.shape[1]):
            seen = near + far
            along = [flow[:, near[:-1]] for flow in flows]
            yield near, network(known[:, seen], along, holes[:, seen], left[:, seen], len(near))[0]

    def _flow(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return the flow to the next and from the next frame, (1, T - 1, 2, H, W) each."""
        starts = range(0, frames.shape[1], FLOW_FRAMES)
        pieces = [frames[:, max(0, start - 1) : start + FLOW_FRAMES] for start in starts]
        forward, backward = zip(*(self.networks[0](piece, iters=RAFT_STEPS) for piece in pieces), strict=True)
        return torch.cat(forward, 1), torch.cat(backward, 1)
