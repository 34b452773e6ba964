"""What training lowers: reconstruction, perceptual, style and adversarial losses, by name and with their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ptfan.training.generator.config import LossConfig
from ptfan.training.generator.perceptual import PerceptualLoss
from ptfan.training.model.decoder import Parts
from ptfan.training.runs.batch import Batch

__all__ = ["Counts", "Losses", "hole_measures", "masked_l1", "reconstruction", "seen"]


@dataclass(frozen=True)
class Counts:
    """Pixels of a pass: the mean over the passes and processes of a step.

    A mean over the holes of a whole step is a sum divided by all their pixels. Passes and processes are averaged, so
    that each divides by the mean number of pixels, not by its own.
    """

    hole: Tensor
    """Pixels inside the hole, scalar."""
    known: Tensor
    """Pixels outside."""

    @classmethod
    def of(cls, batches: Iterable[Batch], mean: Callable[[Tensor], Tensor] = lambda counts: counts) -> Counts:
        """Count the passes of a step; `mean` averages over processes."""
        holes = [batch.hole for batch in batches]
        inside = torch.stack([hole.sum(dtype=torch.float64) for hole in holes]).mean()
        pixels = sum(hole.numel() for hole in holes) / len(holes)
        hole = mean(inside).float()
        return cls(hole, pixels - hole)


class Losses:
    """The losses of a config, as one function."""

    def __init__(self, config: LossConfig, perceptual: PerceptualLoss | None = None) -> None:
        """Take the settings, and the perceptual loss where they ask for it."""
        self.config = config
        self._perceptual = perceptual

    def __call__(
        self,
        parts: Parts,
        batch: Batch,
        counts: Counts,
        step: int,
        adversarial: Callable[[Tensor, Batch], Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Return the weighted losses by name; their sum is what training lowers.

        Args:
            parts: the generator's answer.
            batch: what it was asked, and the truth.
            counts: see `Counts`.
            step: the step's number, which decides what the perceptual loss looks at.
            adversarial: the discriminator's loss on pictures (N, 3, H, W).
        """
        losses = reconstruction(parts, batch, counts, self.config)
        if self._perceptual is not None:
            losses |= self._perceptual(seen(parts, batch, self.config), batch, step)
        if adversarial is not None:
            losses["adversarial"] = self.config.adversarial * adversarial(seen(parts, batch, self.config), batch)
        return losses


def reconstruction(parts: Parts, batch: Batch, counts: Counts, config: LossConfig) -> dict[str, Tensor]:
    """Return the weighted mean absolute errors by name, without those of weight 0."""
    target, hole = batch.target, batch.hole
    pixels = counts.hole + counts.known
    inside, outside = (counts.hole, counts.known) if config.hole_mean == "hole" else (pixels, pixels)
    terms: dict[str, Callable[[], Tensor]] = {
        "frame": lambda: masked_l1(parts.fill, target, torch.ones_like(hole), pixels),
        "hole": lambda: masked_l1(parts.fill, target, hole, inside),
        "own_hole": lambda: masked_l1(parts.own, target, hole, inside),
        "own_known": lambda: masked_l1(parts.own, target, 1 - hole, outside),
    }
    return {name: getattr(config, name) * term() for name, term in terms.items() if getattr(config, name) > 0}


def masked_l1(picture: Tensor, target: Tensor, mask: Tensor, pixels: Tensor | None = None) -> Tensor:
    """Return the mean absolute error where `mask` is 1; 0 if it is 1 nowhere.

    Args:
        picture: (N, C, H, W).
        target: (N, C, H, W).
        mask: (N, 1, H, W), 0 or 1.
        pixels: how many pixels the mean is over, if not the mask's own number.
    """
    error = ((picture.float() - target).abs() * mask).sum()
    return error / ((mask.sum() if pixels is None else pixels) * picture.shape[1]).clamp(min=1.0)


def seen(parts: Parts, batch: Batch, config: LossConfig) -> Tensor:
    """Return the pictures (N, 3, H, W) that the perceptual, style and adversarial losses judge."""
    fill = parts.fill.float()
    return torch.where(batch.hole > 0.5, fill, batch.target) if config.composite else fill


@torch.no_grad()
def hole_measures(parts: Parts, batch: Batch, counts: Counts) -> dict[str, Tensor]:
    """Return what is worth knowing beside the losses, in the hole: mean errors, and the share of the blend."""
    hole, fill = batch.hole, parts.fill.float()
    inside = counts.hole.clamp(min=1.0)
    squared = ((fill - batch.target).square() * hole).sum() / (3 * inside)
    measures = {
        "hole_mse": squared,
        "input_hole": masked_l1(batch.inputs["frames"], batch.target, hole, counts.hole),
    }
    if parts.blend_logit is not None:
        measures["blend"] = (parts.blend_logit.float().sigmoid() * hole).sum() / inside
    return measures
