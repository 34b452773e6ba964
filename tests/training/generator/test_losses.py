from __future__ import annotations

from typing import Any

import pytest
import torch

from ptfan.training.generator.config import LossConfig
from ptfan.training.generator.losses import Counts, Losses, masked_l1, reconstruction, seen
from ptfan.training.model.decoder import Parts
from ptfan.training.runs.batch import Batch


def batch_of(target: torch.Tensor, hole: torch.Tensor, clips: int = 1) -> Batch:
    return Batch({"hole": hole}, target, clips, 0)


def test_masked_l1_is_the_mean_under_the_mask() -> None:
    picture = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]], [[0.5, 0.5], [0.5, 0.5]]]])
    target = torch.zeros_like(picture)
    mask = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    # Two pixels of two channels: (1 + 3 + 0.5 + 0.5) / 4
    assert masked_l1(picture, target, mask).item() == pytest.approx(1.25)
    assert masked_l1(picture, target, mask, torch.tensor(5.0)).item() == pytest.approx(0.5)


def test_masked_l1_of_nothing_is_zero_and_has_a_gradient() -> None:
    picture = torch.ones(1, 3, 2, 2, requires_grad=True)
    loss = masked_l1(picture, torch.zeros(1, 3, 2, 2), torch.zeros(1, 1, 2, 2))
    loss.backward()
    assert loss.item() == 0
    assert picture.grad is not None
    assert not picture.grad.any()


def test_masked_l1_weighs_pixels_alike_across_frames() -> None:
    picture = torch.zeros(2, 1, 1, 4)
    picture[0, 0, 0, 0] = 1.0
    mask = torch.tensor([[1.0, 0, 0, 0], [1, 1, 1, 0]]).reshape(2, 1, 1, 4)
    assert masked_l1(picture, torch.zeros_like(picture), mask).item() == pytest.approx(1 / 4)


def test_masked_l1_is_computed_in_float32() -> None:
    picture = torch.full((1, 1, 64, 64), 0.5, dtype=torch.bfloat16)
    loss = masked_l1(picture, torch.full((1, 1, 64, 64), 0.499), torch.ones(1, 1, 64, 64))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(0.001, rel=1e-3)


@pytest.fixture
def hand_made() -> tuple[Parts, Batch]:
    """Return four pixels, one of them hole: the fill is off by 0.1, the own picture by 0.2 in the hole, 0.4 outside."""
    hole = torch.tensor([1.0, 0.0, 0.0, 0.0]).reshape(1, 1, 2, 2)
    target = torch.full((1, 3, 2, 2), 0.5)
    return Parts(target + 0.1, target + torch.where(hole > 0, 0.2, 0.4), None), batch_of(target, hole)


def test_reconstruction_by_hand(hand_made: tuple[Parts, Batch]) -> None:
    parts, batch = hand_made
    weights: dict[str, Any] = {"frame": 7.0, "hole": 2.0, "own_hole": 3.0, "own_known": 5.0}
    means = reconstruction(parts, batch, Counts.of([batch]), LossConfig(**weights))
    expected = {"frame": 7 * 0.1, "hole": 2 * 0.1, "own_hole": 3 * 0.2, "own_known": 5 * 0.4}
    assert {name: value.item() for name, value in means.items()} == pytest.approx(expected)
    sums = reconstruction(parts, batch, Counts.of([batch]), LossConfig(**weights, hole_mean="frame"))
    expected |= {"hole": 2 * 0.1 / 4, "own_hole": 3 * 0.2 / 4, "own_known": 5 * 0.4 * 3 / 4}
    assert {name: value.item() for name, value in sums.items()} == pytest.approx(expected)


def test_the_published_hole_loss_is_a_mean_over_the_masked_frames() -> None:
    generator = torch.Generator().manual_seed(0)
    target, fill = torch.rand(2, 3, 8, 8, generator=generator), torch.rand(2, 3, 8, 8, generator=generator)
    hole = (torch.rand(2, 1, 8, 8, generator=generator) < 0.3).float()
    batch = batch_of(target, hole)
    config = LossConfig(hole=6.0, own_hole=0.0, own_known=0.0, hole_mean="frame")
    found = reconstruction(Parts(fill, fill, None), batch, Counts.of([batch]), config)
    assert list(found) == ["hole"]
    torch.testing.assert_close(found["hole"], 6 * torch.nn.functional.l1_loss(fill * hole, target * hole))


def test_counts_are_means_over_passes() -> None:
    target = torch.zeros(1, 3, 2, 2)
    passes = [batch_of(target, torch.zeros(1, 1, 2, 2)), batch_of(target, torch.ones(1, 1, 2, 2))]
    counts = Counts.of(passes)
    assert (counts.hole.item(), counts.known.item()) == (2.0, 2.0)
    assert Counts.of(passes, lambda count: count / 2).hole.item() == 1.0


def test_what_is_judged_is_the_composite_or_the_fill(hand_made: tuple[Parts, Batch]) -> None:
    parts, batch = hand_made
    composite = seen(parts, batch, LossConfig())
    assert composite[0, 0].flatten().tolist() == pytest.approx([0.6, 0.5, 0.5, 0.5])
    torch.testing.assert_close(seen(parts, batch, LossConfig(composite=False)), parts.fill)


def test_a_weight_of_zero_costs_no_computation(hand_made: tuple[Parts, Batch]) -> None:
    """What has no weight is not even looked at: an own picture that cannot be computed with does no harm."""
    parts, batch = hand_made
    losses = Losses(LossConfig(own_hole=0.0, own_known=0.0))
    found = losses(parts._replace(own=None), batch, Counts.of([batch]), 0)  # type: ignore[arg-type]
    assert list(found) == ["hole"]


def test_the_adversarial_loss_is_weighted(hand_made: tuple[Parts, Batch]) -> None:
    parts, batch = hand_made
    losses = Losses(LossConfig(adversarial=0.5))
    found = losses(parts, batch, Counts.of([batch]), 0, lambda pictures, _: pictures.sum())
    assert found["adversarial"].item() == pytest.approx(0.5 * 3 * (0.6 + 3 * 0.5))
