"""Small generators and clips for the tests of the network."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ptfan.training.model import Generator, GeneratorConfig
from ptfan.training.model.config import Stage

INPUTS = ("frames", "hole", "guidance", "flow_forward", "flow_backward", "validity_forward", "validity_backward")


def clip(frames: int, height: int, width: int, seed: int = 0) -> dict[str, Tensor]:
    """Return a random clip: noise, holes in blocks, short flows, one in five not valid."""
    generator = torch.Generator().manual_seed(seed)

    def noise(channels: int) -> Tensor:
        return torch.rand(frames, channels, height, width, generator=generator)

    blocks = torch.rand(frames, 1, height // 8, width // 8, generator=generator) < 0.4
    values = (
        noise(3),
        blocks.float().repeat_interleave(8, 2).repeat_interleave(8, 3),
        noise(1),
        6 * noise(2) - 3,
        6 * noise(2) - 3,
        (noise(1) < 0.8).float(),
        (noise(1) < 0.8).float(),
    )
    return dict(zip(INPUTS, values, strict=True))


def randomise(generator: Generator, seed: int = 0) -> Generator:
    """Give every tensor a random value, batch norm's statistics too, so that none is a neutral one; no training."""
    random = torch.Generator().manual_seed(seed)
    for key, value in generator.state_dict().items():
        if key.endswith("running_var") or (value.dim() == 1 and key.endswith("weight")):
            value.uniform_(0.5, 1.5, generator=random)
        elif value.dim() == 1:
            value.normal_(0, 0.2, generator=random)
    return generator.eval()


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., dict[str, Tensor]]:
    """Return the function that makes random clips."""
    return clip


@pytest.fixture(scope="session")
def make_generator() -> Callable[..., Generator]:
    """Return the function that makes a generator whose every tensor is random, the same for the same config."""

    def make(config: GeneratorConfig, seed: int = 0) -> Generator:
        torch.manual_seed(seed)
        return randomise(Generator(config), seed)

    return make


@pytest.fixture(scope="session")
def tiny_paper() -> GeneratorConfig:
    """Return a narrow and short network of the paper's design."""
    stages = (Stage(8, (1, 1)), Stage(8, (1,), stride=2), Stage(8, (1, 2)), Stage(8, (2,)))
    return GeneratorConfig(
        name="tiny", stem_width=8, stem_kernel=7, stages=stages, decoder="paper", decoder_widths=(32, 32)
    )
