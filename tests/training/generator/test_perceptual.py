from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ptfan.training.features import FeatureNetwork
from ptfan.training.generator.config import LossConfig
from ptfan.training.generator.perceptual import PerceptualLoss, choose_views, gram_matrix
from ptfan.training.runs.batch import Batch


class Counting(nn.Conv2d):
    """A convolution that counts the pictures it has seen."""

    seen = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += len(x)
        return super().forward(x)


@pytest.fixture
def network() -> FeatureNetwork:
    torch.manual_seed(0)
    blocks = {
        "one": Counting(3, 4, 3, padding=1),
        "two": nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()),
        "three": nn.Sequential(nn.Conv2d(4, 6, 3, stride=2), nn.ReLU()),
        "four": nn.Sequential(nn.Conv2d(6, 5, 3), nn.ReLU()),
        "five": nn.Conv2d(5, 1, 100),  # cannot be computed: so deep nobody looks
    }
    return FeatureNetwork("tiny", blocks)


@pytest.fixture
def batch() -> Batch:
    """Return two clips of four frames; the hole is a single pixel in the first and fills a corner in the second."""
    generator = torch.Generator().manual_seed(1)
    hole = torch.zeros(8, 1, 40, 64)
    hole[:4, 0, 20, 50] = 1
    hole[4:, 0, :8, :8] = 1
    return Batch({"hole": hole}, torch.rand(8, 3, 40, 64, generator=generator), 2, 0)


def test_both_losses_by_hand(network: FeatureNetwork, batch: Batch) -> None:
    pictures = batch.target.flip(-1)
    found = PerceptualLoss(LossConfig(perceptual=3.0, style=5.0), network)(pictures, batch, 0)
    layers = ["two", "three", "four"]
    a, b = network(pictures, layers), network(batch.target, layers)
    perceptual = sum((a[name] - b[name]).abs().mean() for name in layers)
    style = torch.zeros(())
    for divisor, name in zip((2, 4, 8), layers, strict=True):
        _, c, h, w = a[name].shape
        grams = [torch.einsum("nihw,njhw->nij", x[name], x[name]) / (c * h * w) for x in (a, b)]
        style = style + (grams[0] - grams[1]).abs().mean() / divisor
    torch.testing.assert_close(found["perceptual"], 3 * perceptual)
    torch.testing.assert_close(found["style"], 5 * style)
    assert style > 0


def test_equal_pictures_cost_nothing_and_others_have_a_gradient(network: FeatureNetwork, batch: Batch) -> None:
    loss = PerceptualLoss(LossConfig(perceptual=1.0, style=1.0), network)
    assert [value.item() for value in loss(batch.target, batch, 0).values()] == [0.0, 0.0]
    pictures = (batch.target + 0.1).requires_grad_()
    torch.stack(list(loss(pictures, batch, 0).values())).sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.any()


@pytest.mark.parametrize(("weights", "names"), [({"perceptual": 1.0}, ["perceptual"]), ({"style": 1.0}, ["style"])])
def test_a_weight_of_zero_leaves_a_loss_out(
    network: FeatureNetwork, batch: Batch, weights: dict[str, Any], names: list[str]
) -> None:
    assert list(PerceptualLoss(LossConfig(**weights), network)(batch.target, batch, 0)) == names


def test_views_are_some_frames_and_a_square_in_the_hole(network: FeatureNetwork, batch: Batch) -> None:
    config = LossConfig(perceptual=1.0, view_frames=1, view_side=32)
    PerceptualLoss(config, network)(batch.target, batch, 0)
    assert network.blocks["one"].seen == 2 * 2  # a frame of each clip, twice: made and true
    first, second = choose_views(batch, 0, config)
    assert (first.height, first.width, second.height, second.width) == (32, 32, 32, 32)
    assert first.top <= 20 < first.top + 32
    assert first.left <= 50 < first.left + 32
    assert (second.top, second.left) == (0, 0)
    torch.testing.assert_close(
        first.of(batch.target), batch.target[first.frame, :, first.top : first.top + 32, first.left : first.left + 32]
    )


def test_views_change_and_reach_every_frame_and_all_of_the_hole(batch: Batch) -> None:
    config = LossConfig(perceptual=1.0, view_frames=2, view_side=32)
    batch.inputs["hole"][:4] = 1
    views = [view for step in range(40) for view in choose_views(batch, step, config)]
    assert {view.frame for view in views} == set(range(8))
    wide = [view for view in views if view.frame < 4]
    assert {view.top for view in wide} >= {0, 8}
    assert min(view.left for view in wide) == 0
    assert max(view.left for view in wide) == 32


def test_views_depend_on_the_clip_and_not_on_who_computes_it(batch: Batch) -> None:
    config = LossConfig(perceptual=1.0, view_frames=2, view_side=32)
    second = Batch({"hole": batch.hole[4:]}, batch.target[4:], 1, 1)
    moved = [(view.frame + 4, view.top, view.left) for view in choose_views(second, 5, config)]
    assert moved == [(view.frame, view.top, view.left) for view in choose_views(batch, 5, config)[2:]]


def test_without_settings_the_view_is_everything(batch: Batch) -> None:
    views = choose_views(batch, 3, LossConfig(perceptual=1.0))
    assert sorted(view.frame for view in views) == list(range(8))
    assert {(view.top, view.left, view.height, view.width) for view in views} == {(0, 0, 40, 64)}


def test_gram_matrices_are_summed_in_float32() -> None:
    features = torch.ones(1, 2, 100, 100, dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        gram = gram_matrix(features)
    assert gram.dtype == torch.float32
    torch.testing.assert_close(gram, torch.full((1, 2, 2), 0.5))
