"""`ptfan train`: from clips to a checkpoint, and from a folder that a run was stopped in to its end."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from ptfan.engine.errors import InputError
from ptfan.training.checkpoint import Checkpoint, check_state, load_checkpoint
from ptfan.training.config import TrainConfig
from ptfan.training.environment import describe_environment
from ptfan.training.fabric import open_fabric
from ptfan.training.features import features
from ptfan.training.learner import Learner
from ptfan.training.loop import LoopOptions, Trainer
from ptfan.training.run_data import DataSource
from ptfan.training.run_folder import RunFolder
from ptfan.training.settings import from_object

__all__ = ["Arguments", "resume_run", "start_run", "started_from"]


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What the command was given beside the settings; a run's folder keeps it, so that it can go on by itself."""

    source: DataSource
    """Where the clips are."""
    start: str | None = None
    """The checkpoint that the run started from."""
    device: str = "cpu"
    """Where to compute."""
    threads: int = 1
    """Threads of torch: on a CPU, more than one mostly wait for each other; 0 leaves it to torch."""
    workers: int = 1
    """Processes that make samples."""
    save_every: int = 250
    """Steps between two saves."""
    keep_every: int = 5000
    """Steps between two checkpoints that stay."""
    log_every: int = 25
    """Steps that an entry of the log is the mean of."""

    def options(self) -> LoopOptions:
        """Return the loop's options."""
        names = ("workers", "save_every", "keep_every", "log_every")
        return LoopOptions(**{name: getattr(self, name) for name in names}, picture_every=self.save_every)


def start_run(run: Path, config: TrainConfig, arguments: Arguments) -> None:
    """Begin a run in a new folder.

    Raises:
        OutputExistsError: the folder holds a run.
        InputError: the data, the settings or the checkpoint cannot be used.
        BackendError: the device is not there.
        InterruptedRunError: a signal stopped it; the state is saved.
        DivergenceError: see `Trainer.train`.
    """
    RunFolder(run).check_new()
    fabric = _open(config, arguments)
    if arguments.start is not None:
        config = started_from(config, load_checkpoint(arguments.start))
    trainer = _trainer(RunFolder(run), config, arguments, fabric, new=True)
    trainer.train()


def resume_run(run: Path, *, steps: int | None = None, **changes: Any) -> None:
    """Go on with a run.

    Args:
        run: its folder.
        steps: a new number of steps in all; a run may be lengthened.
        changes: arguments that differ in this session; None stands for those of the folder.

    Raises:
        InputError: the folder holds no run, or its data is not there any more.
        BackendError: the device is not there.
        InterruptedRunError: a signal stopped it; the state is saved.
        DivergenceError: see `Trainer.train`.
    """
    folder = RunFolder.open(run)
    config = TrainConfig.read(folder.config).changed(steps=steps)
    arguments = from_object(Arguments, folder.read_arguments(), str(folder.arguments))
    arguments = replace(arguments, **{name: value for name, value in changes.items() if value is not None})
    trainer = _trainer(folder, config, arguments, _open(config, arguments), new=False)
    trainer.train()


def started_from(config: TrainConfig, start: Checkpoint) -> TrainConfig:
    """Return the settings of a run that starts from a checkpoint: with its architecture, except for what they change.

    Raises:
        InputError: the checkpoint is of another preset.
        ModelError: its weights do not fit what the settings change.
    """
    wanted = config.architecture().name
    if start.config.name != wanted:
        raise InputError(
            f"training: the checkpoint holds a {start.config.name!r}, the settings want {wanted!r}; "
            "change their preset, or start from another checkpoint"
        )
    plain = asdict(replace(config, changes={}).architecture())
    taken = {name: value for name, value in asdict(start.config).items() if value != plain[name]}
    config = replace(config, changes={**taken, **config.changes})
    check_state(config.architecture(), start.state)
    return config


def _open(config: TrainConfig, arguments: Arguments) -> Fabric:
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    return open_fabric(arguments.device, config.precision)


def _trainer(folder: RunFolder, config: TrainConfig, arguments: Arguments, fabric: Fabric, *, new: bool) -> Trainer:
    """Put a run together; its folder is made when nothing can fail any more that a user could mend."""
    backbone = features(config.losses.backbone) if config.losses.needs_backbone else None
    weights = None
    if arguments.start is not None and not folder.state.exists():
        weights = load_checkpoint(arguments.start).state
    learner = Learner(config, config.architecture(), fabric, backbone=backbone, weights=weights)
    with fabric.rank_zero_first(local=True):  # the others find the clips decoded
        clips = arguments.source.decode(folder.path)
    samples = arguments.source.samples(clips, config)
    record = {"clips": clips.names(), "started_from": arguments.start}
    trainer = Trainer(learner, samples, folder, record=record, options=arguments.options())
    if fabric.is_global_zero:
        if new:
            folder.create(config, asdict(arguments))
        folder.write_config(config)
        folder.add_environment(describe_environment(fabric, seed=config.seed, first_step=trainer.progress.step))
    fabric.barrier()
    return trainer
