from __future__ import annotations

import math

import pytest
import torch

from ptfan.training.colour_completion.losses import NOISE, ColourBatch, colour_losses


def batch(*offsets: float) -> ColourBatch:
    """Return pictures of 2x2 pixels, half of them hole, that are off by a constant each."""
    hole = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]]).repeat(len(offsets), 1, 1, 1)
    target = torch.rand(len(offsets), 3, 2, 2, generator=torch.Generator().manual_seed(0))
    off = torch.tensor(offsets).reshape(-1, 1, 1, 1)
    return ColourBatch(target + off, 1 - hole, hole, target)


def losses(answer: torch.Tensor, given: ColourBatch) -> dict[str, torch.Tensor]:
    """Return the losses of a step of one pass."""
    return colour_losses(answer, given, ColourBatch.pierced([given]))


def test_a_step_of_two_passes_is_one_of_one_pass() -> None:
    given = batch(0.1, 0.2, 0.3, 0.4)
    given.hole[2:] = 0
    given.hole[0] = 0
    passes = [ColourBatch(*(getattr(given, name)[half] for name in vars(given))) for half in (slice(2), slice(2, 4))]
    pierced = ColourBatch.pierced(passes)
    apart = [colour_losses(part.picture, part, pierced)["loss"] for part in passes]
    assert torch.stack(apart).mean().item() == pytest.approx(losses(given.picture, given)["loss"].item(), rel=1e-5)


def test_losses_by_hand() -> None:
    given = batch(0.2, 0.4)
    answer = given.target + torch.tensor([0.1, 0.4]).reshape(-1, 1, 1, 1)
    values = losses(answer, given)
    squares = [0.01 + NOISE, 0.16 + NOISE]
    assert values["loss"].item() == pytest.approx(sum(map(math.log, squares)) / 2, rel=1e-4)
    smooth = [0.04 + NOISE, 0.16 + NOISE]
    assert values["smooth_loss"].item() == pytest.approx(sum(map(math.log, smooth)) / 2, rel=1e-4)


def test_what_is_known_does_not_count_and_neither_do_pictures_without_a_hole() -> None:
    given = batch(0.2, 0.4)
    given.hole[1] = 0
    answer = given.picture.clone()
    answer[:, :, 1] += 5
    answer[1] += 7
    assert losses(answer, given)["loss"].item() == pytest.approx(math.log(0.04 + NOISE), rel=1e-4)
    given.hole[0] = 0
    assert losses(answer, given)["loss"].item() == 0


def test_every_picture_lowers_the_loss_by_its_own_share() -> None:
    given = batch(0.02, 0.5)
    answer = given.picture.clone().requires_grad_()
    losses(answer, given)["loss"].backward()
    assert answer.grad is not None
    easy, hard = (answer.grad[n].abs().sum().item() for n in (0, 1))
    assert easy > hard  # the same relative step helps both as much
    assert not answer.grad[:, :, 1].any()
