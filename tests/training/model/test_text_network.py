from __future__ import annotations

import torch
from torch import Tensor

from ptfan.training.model.text_network import TextNetwork, TextNetworkConfig

SMALL = TextNetworkConfig(widths=(4, 8, 8), blocks=(1, 1, 2))


def given(pictures: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    picture, before = torch.rand(2, pictures, 3, 16, 24, generator=generator)
    return picture, before


def trained() -> TextNetwork:
    """Return a network whose head is not zero any more."""
    torch.manual_seed(0)
    network = TextNetwork(SMALL)
    torch.nn.init.normal_(network.head.weight, std=0.5)
    return network.eval()


@torch.no_grad()
def test_a_fresh_network_finds_nothing() -> None:
    score = TextNetwork(SMALL)(*given(2))
    assert score.shape == (2, 1, 16, 24)
    assert (score < 0).all()


@torch.no_grad()
def test_each_picture_is_looked_at_by_itself() -> None:
    network, (picture, before) = trained(), given(3)
    alone = torch.cat([network(picture[n : n + 1], before[n : n + 1]) for n in range(3)])
    torch.testing.assert_close(network(picture, before), alone)


@torch.no_grad()
def test_both_pictures_count() -> None:
    network, (picture, before) = trained(), given(1)
    score = network(picture, before)
    assert not torch.allclose(network(picture, picture), score, atol=1e-3)
    assert not torch.allclose(network(before, before), score, atol=1e-3)


def test_the_sides_are_multiples() -> None:
    assert TextNetwork(SMALL).multiple == 8
    assert TextNetwork().multiple == 16
