"""What `ptfan train` trains: the generator."""

from __future__ import annotations

from dataclasses import asdict, replace

from lightning_fabric import Fabric

from ptfan.engine.errors import InputError
from ptfan.training.checkpoint import Checkpoint, check_state, load_checkpoint
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.flow.cache import FlowCache
from ptfan.training.data.samples import ClipDataset
from ptfan.training.features import features
from ptfan.training.generator.config import TrainConfig
from ptfan.training.generator.learner import GeneratorLearner
from ptfan.training.runs.run import Subject

__all__ = ["GeneratorSubject", "started_from"]


class GeneratorSubject(Subject[TrainConfig]):
    """A generator of one of the presets, on clips with holes."""

    config = TrainConfig

    def started_from(self, config: TrainConfig, start: str) -> TrainConfig:
        """Return the settings of a run that starts from a checkpoint, see `started_from`."""
        return started_from(config, load_checkpoint(start))

    def learner(self, config: TrainConfig, fabric: Fabric, start: str | None) -> GeneratorLearner:
        """Return the generator's learner, with the feature network that its losses need."""
        backbone = features(config.losses.backbone) if config.losses.needs_backbone else None
        weights = None if start is None else load_checkpoint(start).state
        return GeneratorLearner(config, config.architecture(), fabric, backbone=backbone, weights=weights)

    def samples(self, config: TrainConfig, clips: ClipCache, flow: FlowCache | None) -> ClipDataset:
        """Return what the runtime would feed the network."""
        fill, length = config.architecture().fill, config.steps * config.batch
        return ClipDataset(clips, config.sample, fill=fill, seed=config.seed, length=length, flow=flow)


def started_from(config: TrainConfig, start: Checkpoint) -> TrainConfig:
    """Return the settings of a run that starts from a checkpoint: with its architecture, except for what they change.

    Raises:
        InputError: the checkpoint is of another preset.
        ModelError: its weights do not fit what the settings change.
    """
    wanted = config.architecture().name
    if start.config.name not in (wanted, config.preset):  # a variant may start from its preset's weights
        raise InputError(
            f"training: the checkpoint holds a {start.config.name!r}, the settings want {wanted!r}; "
            "change their preset, or start from another checkpoint"
        )
    plain = asdict(replace(config, changes={}).architecture())
    taken = {name: value for name, value in asdict(start.config).items() if value != plain[name]}
    config = replace(config, changes={**taken, **config.changes})
    check_state(config.architecture(), start.state)
    return config
