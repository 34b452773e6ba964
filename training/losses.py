"""Reconstruction losses, inside and outside the hole."""

from __future__ import annotations

from torch import Tensor

from ptfan.training.config import TrainConfig
from ptfan.training.model.decoder import Parts

__all__ = ["masked_l1", "reconstruction"]


def masked_l1(picture: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the mean absolute error where `mask` is 1; 0 if it is 1 nowhere.

    Args:
        picture: (N, C, H, W).
        target: (N, C, H, W).
        mask: (N, 1, H, W), 0 or 1.
    """
    error = ((picture.float() - target).abs() * mask).sum()
    return error / (mask.sum() * picture.shape[1]).clamp(min=1.0)


def reconstruction(parts: Parts, target: Tensor, hole: Tensor, config: TrainConfig) -> dict[str, Tensor]:
    """Return the weighted losses by name; their sum is what training lowers.

    The loss on the network's own picture keeps it alive where the blend prefers the propagated colours.
    """
    return {
        "hole": config.hole_weight * masked_l1(parts.fill, target, hole),
        "own_hole": config.own_hole_weight * masked_l1(parts.own, target, hole),
        "own_known": config.own_known_weight * masked_l1(parts.own, target, 1 - hole),
    }
