from __future__ import annotations

import math

import pytest
import torch

from ptfan.training.flow_completion.losses import SURE, FlowBatch, flow_errors, flow_losses
from ptfan.training.model.flow_completer import CompletedFlow


def batch() -> FlowBatch:
    """Return one frame of 2x2 pixels, one of them unknown, whose true flow is the same everywhere."""
    known = torch.tensor([[[[1.0, 1.0], [1.0, 0.0]]]])
    target = torch.tensor([1.0, 2.0, -1.0, -2.0]).reshape(1, 4, 1, 1).expand(1, 4, 2, 2)
    return FlowBatch(target + 3.0, known, target, clips=1, first=0)


def test_errors_are_summed_over_both_components() -> None:
    given = batch()
    assert torch.equal(flow_errors(given.flow, given.target), torch.full((1, 2, 2, 2), 6.0))


def test_losses_by_hand() -> None:
    given = batch()
    answer = CompletedFlow(given.target + 0.5, torch.full((1, 2, 2, 2), 0.25))
    values = flow_losses(answer, given, FlowBatch.unknown([given]), spread=0.1)
    # Nothing moves against the mean: the scale of motion is 0.5. Errors are 1 in each direction, of the smooth flow 6.
    assert values["error"].item() == pytest.approx(1 / math.sqrt(0.5))
    assert values["smooth_error"].item() == pytest.approx(6 / math.sqrt(0.5))
    scale = 0.25 + SURE
    assert values["likelihood"].item() == pytest.approx(1 / (2 * scale) + math.log(scale))
    assert values["loss"].item() == pytest.approx(values["error"].item() + 0.1 * values["likelihood"].item())


def test_the_spread_that_is_most_likely_is_the_mean_error() -> None:
    given = batch()
    spread = torch.full((1, 2, 2, 2), 0.25, requires_grad=True)
    flow = (given.target + 0.5).requires_grad_()
    for right in (0.25, 0.5 - SURE):
        with torch.no_grad():
            spread.fill_(right)
        loss = flow_losses(CompletedFlow(flow, spread), given, FlowBatch.unknown([given]), spread=0.1)["likelihood"]
        (gradient,) = torch.autograd.grad(loss, spread)
        if right == 0.25:
            assert gradient[..., 1, 1].max() < 0  # too sure of itself
        else:
            assert gradient.abs().max() < 1e-5
    assert not gradient[..., 0, 0].any()
