from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ptfan.engine.errors import ModelError
from ptfan.training.checkpoint import save_helper
from ptfan.training.colour_completion.run import ColourSubject
from ptfan.training.flow_completion.run import FlowSubject
from ptfan.training.helpers.subject import HelperSubject
from ptfan.training.model.colour_completer import ColourCompleter, ColourCompleterConfig
from ptfan.training.model.flow_completer import FlowCompleter, FlowCompleterConfig
from ptfan.training.model.helpers import Helper
from ptfan.training.runs.fabric import open_fabric

FLOW = FlowSubject(), FlowCompleter(FlowCompleterConfig(widths=(8, 8, 16)))
COLOUR = ColourSubject(), ColourCompleter(ColourCompleterConfig(widths=(8, 16), blocks=(0, 1)))


@pytest.mark.parametrize(("subject", "network"), [FLOW, COLOUR])
def test_a_run_starts_from_a_checkpoint_s_architecture_and_weights(
    subject: HelperSubject[Any], network: Helper, tmp_path: Path
) -> None:
    start = str(tmp_path / "start.safetensors")
    save_helper(start, network, {})
    config = subject.started_from(subject.config(), start)
    assert config.network == network.config
    state = subject.learner(config, open_fabric(), start).network.state_dict()
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize(("subject", "network"), [FLOW, COLOUR])
def test_without_a_start_the_seed_decides_on_the_weights(subject: HelperSubject[Any], network: Helper) -> None:
    def drawn(seed: int) -> torch.Tensor:
        config = replace(subject.config(), network=network.config, seed=seed)
        weights: torch.Tensor = subject.learner(config, open_fabric(), None).network.stem.weight
        return weights

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_a_checkpoint_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    start = str(tmp_path / "start.safetensors")
    save_helper(start, FLOW[1], {})
    with pytest.raises(ModelError, match="is a flow completion network, expected a colour completion network"):
        COLOUR[0].started_from(COLOUR[0].config(), start)
