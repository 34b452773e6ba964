"""The perceptual and the style loss: pictures compared by what a network that knows pictures sees in them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ptfan.training.features import FeatureNetwork
from ptfan.training.generator.config import LossConfig
from ptfan.training.runs.batch import Batch

__all__ = ["PerceptualLoss", "View", "choose_views", "gram_matrix"]

STRIDE_OF_PLACES = 7919
"""A prime: the places in a hole that are looked at follow each other in steps of so many pixels."""


@dataclass(frozen=True)
class View:
    """A part of one frame."""

    frame: int
    """The frame's place in the batch."""
    top: int
    """First row."""
    left: int
    """First column."""
    height: int
    """Rows."""
    width: int
    """Columns."""

    def of(self, pictures: Tensor) -> Tensor:
        """Cut it out of (N, C, H, W): (C, height, width)."""
        return pictures[self.frame, :, self.top : self.top + self.height, self.left : self.left + self.width]


class PerceptualLoss:
    """Both losses, of one pass through the network."""

    def __init__(self, config: LossConfig, network: FeatureNetwork) -> None:
        """Take the second to fourth of the network's layers: VGG-16's relu2_2, relu3_3 and relu4_3."""
        self._config, self._network = config, network
        self._layers = network.layers[1:4]

    def __call__(self, pictures: Tensor, batch: Batch, step: int) -> dict[str, Tensor]:
        """Return the weighted losses by name, without those of weight 0.

        Args:
            pictures: (N, 3, H, W), RGB, compared with the batch's truth.
            batch: the clips.
            step: the step's number, which decides the view.
        """
        views = choose_views(batch, step, self._config)
        with torch.no_grad():
            wanted = self._network(_cut(batch.target, views), self._layers)
        found = self._network(_cut(pictures, views), self._layers)
        losses = {}
        if self._config.perceptual:
            losses["perceptual"] = self._config.perceptual * _perceptual(found, wanted)
        if self._config.style:
            losses["style"] = self._config.style * _style(found, wanted)
        return losses


def choose_views(batch: Batch, step: int, config: LossConfig) -> list[View]:
    """Choose what the losses look at: some frames of each clip, and in each a square round a place in the hole.

    The choice follows from the step and the clip's number alone: it changes from step to step, without any random
    number, and does not depend on who computes the clip.
    """
    frames = batch.frames
    count = min(config.view_frames or frames, frames)
    views = []
    for clip in range(batch.clips):
        turn = step + batch.first + clip
        for place in range(count):
            frame = clip * frames + (turn + place * frames // count) % frames
            views.append(_view(batch.hole[frame, 0], frame, turn + place, config.view_side))
    return views


def _view(hole: Tensor, frame: int, turn: int, side: int) -> View:
    height, width = hole.shape
    rows, columns = min(side or height, height), min(side or width, width)
    if rows == height and columns == width:
        return View(frame, 0, 0, rows, columns)
    places = hole.nonzero()
    row, column = (height // 2, width // 2)
    if len(places):
        row, column = places[turn * STRIDE_OF_PLACES % len(places)].tolist()
    top, left = min(max(row - rows // 2, 0), height - rows), min(max(column - columns // 2, 0), width - columns)
    return View(frame, top, left, rows, columns)


def _cut(pictures: Tensor, views: list[View]) -> Tensor:
    return torch.stack([view.of(pictures) for view in views])


def _perceptual(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    return torch.stack([(found[name].float() - wanted[name].float()).abs().mean() for name in found]).sum()


def _style(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    """Compare the Gram matrices; the first layer's error counts a half, the next a quarter, then an eighth."""
    errors = [(gram_matrix(found[name]) - gram_matrix(wanted[name])).abs().mean() for name in found]
    return torch.stack([error / 2 ** (place + 1) for place, error in enumerate(errors)]).sum()


def gram_matrix(features: Tensor) -> Tensor:
    """Return the products of all pairs of channels of (N, C, h, w), summed over pixels, / (C h w): (N, C, C)."""
    rows = features.float().flatten(2)
    with torch.autocast(features.device.type, enabled=False):  # sums over whole pictures need all of fp32's digits
        return rows @ rows.transpose(1, 2) / (rows.shape[1] * rows.shape[2])
