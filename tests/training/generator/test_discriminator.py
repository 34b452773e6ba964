from __future__ import annotations

from typing import Any

import pytest
import torch

from ptfan.training.generator.discriminator import Discriminator, discriminator_loss, generator_loss

WIDTH = 4


@pytest.fixture
def discriminator() -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(WIDTH)


def clips(count: int = 2, frames: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
    generator = torch.Generator().manual_seed(1)
    n = count * frames
    pictures = torch.rand(n, 3, 64, 96, generator=generator)
    return pictures, torch.zeros(n, 1, 64, 96), torch.rand(n, 1, 64, 96, generator=generator), count


def test_scores_are_one_for_each_patch_and_frame(discriminator: Discriminator) -> None:
    scores = discriminator(*clips())
    assert scores.shape == (2, 4 * WIDTH, 3, 1, 2)
    assert bool(((scores > 0) & (scores < 1)).all())


def test_it_is_as_large_as_the_paper_s() -> None:
    with torch.device("meta"):
        layers: list[Any] = list(Discriminator().layers)
    shapes = [tuple(layer.parametrizations.weight.original.shape) for layer in layers[:5]]
    assert shapes == [
        (64, 5, 3, 5, 5),
        (128, 64, 3, 5, 5),
        (256, 128, 3, 5, 5),
        (256, 256, 3, 5, 5),
        (256, 256, 3, 5, 5),
    ]


def test_clips_do_not_touch_each_other_but_frames_do(discriminator: Discriminator) -> None:
    discriminator.eval()
    pictures, hole, guidance, count = clips()
    before = discriminator(pictures, hole, guidance, count)
    pictures[0] += 0.5
    after = discriminator(pictures, hole, guidance, count)
    assert torch.equal(before[1], after[1])
    assert not torch.equal(before[0, :, 1], after[0, :, 1])


def largest_singular_value(layer: Any) -> float:
    return float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2))


def test_the_weights_that_are_used_have_a_largest_singular_value_of_one(discriminator: Discriminator) -> None:
    """Also after the optimiser has changed them, which a norm that never reaches the weights would not survive."""
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.02)
    for _ in range(20):
        optimizer.zero_grad()
        (1 - discriminator(*clips())).square().mean().backward()
        optimizer.step()
    for _ in range(30):
        discriminator(*clips(1, 1))  # the power iteration catches up
    values = [largest_singular_value(layer) for layer in list(discriminator.layers)[:5]]
    assert values == pytest.approx([1.0] * 5, abs=0.01)


def test_a_larger_weight_changes_nothing(discriminator: Discriminator) -> None:
    discriminator.eval()
    before = discriminator(*clips())
    with torch.no_grad():
        discriminator.layers[2].parametrizations.weight.original.mul_(10)  # type: ignore[union-attr, operator]
    torch.testing.assert_close(discriminator(*clips()), before)


def test_judging_for_the_generator_changes_nothing(discriminator: Discriminator) -> None:
    discriminator.eval()
    before = {name: value.clone() for name, value in discriminator.state_dict().items()}
    discriminator(*clips())
    assert all(torch.equal(value, before[name]) for name, value in discriminator.state_dict().items())


def test_least_squares_by_hand() -> None:
    real, made = torch.tensor([0.5, 1.0]), torch.tensor([0.0, 0.4])
    assert generator_loss(made).item() == pytest.approx((1.0 + 0.36) / 2)
    assert discriminator_loss(real, made).item() == pytest.approx((0.25 / 2 + 0.16 / 2) / 2)
    assert discriminator_loss(torch.ones(2), torch.zeros(2)).item() == 0
