"""Batch norms folded away: the same results, and the original left alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from ptfan.engine.spec import CLIP_INPUTS
from ptfan.export.folding import folded
from ptfan.training.model import Generator
from ptfan.training.model.blocks import Bottleneck


def run(generator: torch.nn.Module, arrays: dict[str, np.ndarray]) -> np.ndarray:
    with torch.inference_mode():
        return generator(*(torch.from_numpy(arrays[name]) for name in CLIP_INPUTS)).numpy()


@pytest.mark.parametrize("decoder", ["light", "paper"])
def test_results_stay(decoder: str, tiny: Callable, make_generator: Callable, make_clip: Callable) -> None:
    generator, arrays = make_generator(tiny(decoder)), make_clip(3, 32, 40)
    expected = run(generator, arrays)
    np.testing.assert_allclose(run(folded(generator), arrays), expected, atol=2e-5 * np.abs(expected).max())


def test_what_is_left_of_the_norms(tiny_generator: Generator) -> None:
    result = folded(tiny_generator)
    norms = [module for module in result.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(norms) == sum(isinstance(module, Bottleneck) for module in result.modules())
    for norm in norms:
        assert norm.eps == 0
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert (norm.running_mean == 0).all()
        assert (norm.running_var == 1).all()


def test_a_small_variance_survives_fp16(tiny: Callable, make_generator: Callable, make_clip: Callable) -> None:
    generator, arrays = make_generator(tiny("light")), make_clip(2, 16, 16)
    for module in generator.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.mul_(1e-4)
            assert module.running_var is not None
            module.running_var.mul_(1e-8)  # below what fp16 can hold beside an epsilon of 1e-5
    half = folded(generator).half()
    inputs = [torch.from_numpy(arrays[name]) for name in CLIP_INPUTS]
    inputs = [x if name.startswith("flow") else x.half() for name, x in zip(CLIP_INPUTS, inputs, strict=True)]
    with torch.inference_mode():
        result = half(*inputs).float().numpy()
    np.testing.assert_allclose(result, run(generator, arrays), atol=0.01)


def test_the_original_is_left_alone(tiny_generator: Generator) -> None:
    before = {key: value.clone() for key, value in tiny_generator.state_dict().items()}
    folded(tiny_generator).half()
    after = tiny_generator.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert all(parameter.requires_grad for parameter in tiny_generator.parameters())
