"""The running average of a network's weights: calmer than the weights themselves, and what is saved for use."""

from __future__ import annotations

from copy import deepcopy
from typing import Generic, TypeVar

import torch
from torch import nn

__all__ = ["Average"]

Network = TypeVar("Network", bound=nn.Module)


class Average(Generic[Network]):
    """An exponential average of every tensor of a network, its batch norms' statistics included."""

    network: Network
    """A network with the averaged weights, in evaluation mode."""

    def __init__(self, network: Network, decay: float) -> None:
        """Start from the weights of `network`; `decay` per step is what the decay rises to, 0 to below 1."""
        self.network = deepcopy(network).requires_grad_(False).eval()
        self._decay = decay

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        """Take in the weights after step `step` (from 1)."""
        # A young average would be dominated by the first, random weights.
        share = 1.0 - min(self._decay, (1 + step) / (10 + step))
        own, new = self.network.state_dict(), network.state_dict()
        for name, mean in own.items():
            if mean.is_floating_point():
                mean.lerp_(new[name], share)
            else:
                mean.copy_(new[name])
