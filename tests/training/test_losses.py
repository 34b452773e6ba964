from __future__ import annotations

import pytest
import torch

from ptfan.training.config import TrainConfig
from ptfan.training.losses import masked_l1, reconstruction
from ptfan.training.model.decoder import Parts


def test_masked_l1_is_the_mean_under_the_mask() -> None:
    picture = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]], [[0.5, 0.5], [0.5, 0.5]]]])
    target = torch.zeros_like(picture)
    mask = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    # Two pixels of two channels: (1 + 3 + 0.5 + 0.5) / 4
    assert masked_l1(picture, target, mask).item() == pytest.approx(1.25)


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


def test_reconstruction_by_hand() -> None:
    hole = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    target = torch.zeros(1, 3, 1, 2)
    parts = Parts(fill=target + 0.1, own=target + torch.tensor([0.2, 0.4]), blend_logit=None)
    config = TrainConfig(hole_weight=2.0, own_hole_weight=3.0, own_known_weight=5.0)
    losses = {name: value.item() for name, value in reconstruction(parts, target, hole, config).items()}
    assert losses == pytest.approx({"hole": 2 * 0.1, "own_hole": 3 * 0.2, "own_known": 5 * 0.4})
