from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ptfan.engine.spec import CLIP_CHANNELS
from ptfan.training.flop import flop_per_pixel
from ptfan.training.model import Generator, preset


def by_hand(generator: Generator, height: int, width: int) -> float:
    """Two operations for each weight of a convolution at each place of its output."""
    total = 0

    def count(layer: Any, inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        total += 2 * output[:, 0].numel() * layer.weight.numel()

    for layer in generator.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        generator.eval()(*(torch.zeros(2, channels, height, width) for channels in CLIP_CHANNELS.values()))
    return total / (2 * height * width)


def test_the_count_is_that_of_the_convolutions_at_any_size() -> None:
    generator = Generator(preset("s"))
    found = flop_per_pixel(generator)
    assert found == pytest.approx(by_hand(generator, 48, 80))
    assert 4e9 < found * 432 * 240 < 6e9


def test_counting_leaves_a_network_as_it_is() -> None:
    generator = Generator(preset("s")).train()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    flop_per_pixel(generator)
    assert generator.training
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())
