from __future__ import annotations

import pytest
import torch

from ptfan.engine.errors import ModelError
from ptfan.training.model.flow_completer import FlowCompleter, FlowCompleterConfig

SMALL = FlowCompleterConfig(widths=(8, 8, 16))


def flow_and_known(frames: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    known = torch.ones(frames, 1, 12, 16)
    known[..., 4:8, 4:12] = 0
    return torch.randn(frames, 4, 12, 16, generator=generator), known


def trained(seed: int = 0) -> FlowCompleter:
    """Return a network whose head is not zero any more."""
    torch.manual_seed(seed)
    network = FlowCompleter(SMALL)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    return network.eval()


def test_a_fresh_network_leaves_the_flow_alone() -> None:
    flow, known = flow_and_known(3)
    assert torch.equal(FlowCompleter(SMALL)(flow, known).flow, flow)


@torch.no_grad()
def test_known_flow_stays_and_is_not_doubted() -> None:
    flow, known = flow_and_known(3)
    answer = trained()(flow, known)
    where = (known == 1).expand_as(flow)
    assert torch.equal(answer.flow[where], flow[where])
    assert not answer.spread[where[:, :2]].any()
    assert (answer.spread[~where[:, :2]] > 0).all()
    assert not torch.equal(answer.flow[~where], flow[~where])


@torch.no_grad()
def test_a_constant_motion_is_only_added() -> None:
    flow, known = flow_and_known(3)
    motion = torch.tensor([3.0, -2.0, -1.0, 5.0]).reshape(1, 4, 1, 1)
    plain, moved = trained()(flow, known), trained()(flow + motion, known)
    torch.testing.assert_close(moved.flow, plain.flow + motion, atol=1e-4, rtol=0)
    torch.testing.assert_close(moved.spread, plain.spread, atol=1e-4, rtol=0)


@torch.no_grad()
def test_nothing_passes_from_one_clip_to_another() -> None:
    network = trained()
    (flow, known), (other, _) = flow_and_known(3), flow_and_known(3, seed=1)
    both = network(torch.cat((flow, other)), torch.cat((known, known)), clips=2)
    torch.testing.assert_close(both.flow[:3], network(flow, known).flow)
    torch.testing.assert_close(both.flow[3:], network(other, known).flow)
    whole = network(torch.cat((flow, other)), torch.cat((known, known)))
    assert not torch.allclose(whole.flow[:3], both.flow[:3], atol=1e-4)  # neighbours are looked at


def test_configs_that_make_no_sense_are_refused() -> None:
    assert FlowCompleterConfig.from_json(SMALL.to_json()) == SMALL
    for wrong in ('{"fold": 1}', '{"blocks": [0, 1, 1]}', '{"width": 3}', "no json", "[1]"):
        with pytest.raises(ModelError, match="flow completer config"):
            FlowCompleterConfig.from_json(wrong)
