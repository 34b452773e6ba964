from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ptfan.engine.spec import CLIP_CHANNELS
from ptfan.training.even_phases import even_phases, phase_errors
from ptfan.training.model import Generator, preset


@pytest.fixture
def samples() -> list[dict[str, Tensor]]:
    """Return two clips of three frames with a box in them."""
    rng = np.random.default_rng(0)
    clips = []
    for _ in range(2):
        sample = {name: torch.from_numpy(rng.random((3, n, 32, 48), np.float32)) for name, n in CLIP_CHANNELS.items()}
        sample["hole"] = torch.zeros(3, 1, 32, 48)
        sample["hole"][:, :, 5:20, 9:31] = 1
        clips.append({**sample, "target": torch.from_numpy(rng.random((3, 3, 32, 48), np.float32))})
    return clips


def test_the_places_of_a_block_are_off_by_the_same_afterwards(samples: list[dict[str, Tensor]]) -> None:
    torch.manual_seed(0)
    generator = Generator(preset("s")).eval()
    bias = generator.decoder.head.bias
    assert isinstance(bias, Tensor)
    with torch.no_grad():
        bias.copy_(torch.linspace(-0.2, 0.3, 16))
    before = phase_errors(generator, samples)
    assert (before.amax(dim=(1, 2)) - before.amin(dim=(1, 2))).min() > 0.05
    blend = bias[12:].clone()
    even_phases(generator, before)
    after = phase_errors(generator, samples)
    torch.testing.assert_close(after, before.mean(dim=(1, 2), keepdim=True).expand(3, 2, 2), atol=1e-5, rtol=0)
    assert torch.equal(bias[12:], blend)


def test_errors_are_means_over_the_hole_weighed_by_what_is_seen(samples: list[dict[str, Tensor]]) -> None:
    """The slow reference: pixel by pixel."""
    torch.manual_seed(1)
    generator = Generator(preset("s")).eval()
    found = phase_errors(generator, samples[:1])
    sample = samples[0]
    with torch.no_grad():
        parts = generator.forward_parts(*(sample[name] for name in CLIP_CHANNELS), clips=1)
    assert parts.blend_logit is not None
    error, share = torch.zeros(3, 2, 2), torch.zeros(2, 2)
    for t, row, column in sample["hole"][:, 0].nonzero().tolist():
        seen = 1 - parts.blend_logit[t, 0, row, column].sigmoid()
        error[:, row % 2, column % 2] += seen * (parts.own - sample["target"])[t, :, row, column]
        share[row % 2, column % 2] += seen
    torch.testing.assert_close(found, error / share, atol=1e-5, rtol=1e-4)
