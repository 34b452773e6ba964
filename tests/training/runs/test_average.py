from __future__ import annotations

import torch
from torch import nn

from ptfan.training.runs.average import Average


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))


def test_the_average_follows_the_weights_and_the_statistics() -> None:
    watched = network()
    average = Average(watched, 0.5)
    expected = {name: value.clone() for name, value in watched.state_dict().items()}
    for step in range(1, 9):
        with torch.no_grad():
            watched[0].weight.normal_()  # type: ignore[operator]
        watched(torch.randn(3, 1, 4, 4))
        average.update(watched, step)
        decay = min(0.5, (1 + step) / (10 + step))
        for name, value in watched.state_dict().items():
            expected[name] = (
                decay * expected[name] + (1 - decay) * value if value.is_floating_point() else value.clone()
            )
    for name, value in average.network.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    assert average.network.state_dict()["1.num_batches_tracked"] == 8


def test_a_decay_of_zero_is_no_average() -> None:
    watched = network()
    average = Average(watched, 0.0)
    with torch.no_grad():
        watched[0].weight.fill_(3.0)  # type: ignore[operator]
    average.update(watched, 1)
    assert torch.equal(average.network.state_dict()["0.weight"], watched.state_dict()["0.weight"])


def test_the_average_is_not_trained() -> None:
    average = Average(network(), 0.9)
    assert not average.network.training
    assert not any(value.requires_grad for value in average.network.parameters())
