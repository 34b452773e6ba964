"""What a command trains that is a helper network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric

from ptfan.training.checkpoint import load_helper_of
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.flow.cache import FlowCache
from ptfan.training.helpers.config import HelperTrainConfig
from ptfan.training.helpers.learner import HelperLearner
from ptfan.training.model.helpers import KINDS, Helper
from ptfan.training.runs.loop import Samples
from ptfan.training.runs.run import Subject

__all__ = ["HelperSubject"]

Config = TypeVar("Config", bound=HelperTrainConfig)


class HelperSubject(Subject[Config]):
    """A helper network; subclasses name its parts."""

    network: type[Helper]
    """The network, which is built from `Config.network`."""
    learns: type[HelperLearner[Any, Any]]
    """Its learner."""
    dataset: Callable[[ClipCache, Config, FlowCache | None], Samples]
    """Its samples: of clips, by the settings, with the flow of the complete frames if that is kept."""

    def started_from(self, config: Config, start: str) -> Config:
        """Return the settings with the checkpoint's architecture."""
        return replace(config, network=load_helper_of(self.network, start).config)

    def learner(self, config: Config, fabric: Fabric, start: str | None) -> HelperLearner[Any, Any]:
        """Return the network's learner."""
        torch.manual_seed(config.seed)
        network = KINDS[self.network].build(config.network)
        if start is not None:
            network.load_state_dict(load_helper_of(self.network, start).state_dict())
        return self.learns(config, fabric, network)

    def samples(self, config: Config, clips: ClipCache, flow: FlowCache | None) -> Samples:
        """Return its samples."""
        return self.dataset(clips, config, flow)
