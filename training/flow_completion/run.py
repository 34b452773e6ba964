"""What `ptfan train-flow` trains: the flow completion network."""

from __future__ import annotations

from dataclasses import replace

from lightning_fabric import Fabric

from ptfan.training.checkpoint import load_completer_of
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.flow.cache import FlowCache
from ptfan.training.flow_completion.config import FlowTrainConfig
from ptfan.training.flow_completion.data import FlowDataset
from ptfan.training.flow_completion.learner import FlowLearner
from ptfan.training.model.flow_completer import FlowCompleter
from ptfan.training.runs.run import Subject

__all__ = ["FlowSubject"]


class FlowSubject(Subject[FlowTrainConfig]):
    """The flow completion network, on the flow of clips with holes."""

    config = FlowTrainConfig

    def started_from(self, config: FlowTrainConfig, start: str) -> FlowTrainConfig:
        """Return the settings with the checkpoint's architecture."""
        return replace(config, network=load_completer_of(FlowCompleter, start).config)

    def learner(self, config: FlowTrainConfig, fabric: Fabric, start: str | None) -> FlowLearner:
        """Return the network's learner."""
        weights = None if start is None else load_completer_of(FlowCompleter, start).state_dict()
        return FlowLearner(config, fabric, weights=weights)

    def samples(self, config: FlowTrainConfig, clips: ClipCache, flow: FlowCache | None) -> FlowDataset:
        """Return flow, known round holes."""
        return FlowDataset(clips, config, flow)
