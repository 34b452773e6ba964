"""What `ptfan train-colour` trains: the colour completion network."""

from __future__ import annotations

from dataclasses import replace

from lightning_fabric import Fabric

from ptfan.training.checkpoint import load_completer_of
from ptfan.training.colour_completion.config import ColourTrainConfig
from ptfan.training.colour_completion.data import ColourDataset
from ptfan.training.colour_completion.learner import ColourLearner
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.flow.cache import FlowCache
from ptfan.training.model.colour_completer import ColourCompleter
from ptfan.training.runs.run import Subject

__all__ = ["ColourSubject"]


class ColourSubject(Subject[ColourTrainConfig]):
    """The colour completion network, on clips with holes."""

    config = ColourTrainConfig

    def started_from(self, config: ColourTrainConfig, start: str) -> ColourTrainConfig:
        """Return the settings with the checkpoint's architecture."""
        return replace(config, network=load_completer_of(ColourCompleter, start).config)

    def learner(self, config: ColourTrainConfig, fabric: Fabric, start: str | None) -> ColourLearner:
        """Return the network's learner."""
        weights = None if start is None else load_completer_of(ColourCompleter, start).state_dict()
        return ColourLearner(config, fabric, weights=weights)

    def samples(self, config: ColourTrainConfig, clips: ClipCache, flow: FlowCache | None) -> ColourDataset:
        """Return pictures whose holes are filled, and what was there."""
        return ColourDataset(clips, config, flow)
