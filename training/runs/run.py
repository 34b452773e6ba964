"""A run from clips to a checkpoint, and from a folder that it was stopped in to its end, whatever is trained."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from lightning_fabric import Fabric

from ptfan.engine.errors import InputError
from ptfan.engine.typed_json import from_object
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.flow.cache import FlowCache
from ptfan.training.runs.arguments import Arguments
from ptfan.training.runs.config import RunConfig
from ptfan.training.runs.environment import describe_environment
from ptfan.training.runs.fabric import open_fabric
from ptfan.training.runs.folder import RunFolder
from ptfan.training.runs.learner import Learner
from ptfan.training.runs.loop import Samples, Trainer

__all__ = ["Subject", "resume_run", "start_run"]

LOG = logging.getLogger(__name__)
Config = TypeVar("Config", bound=RunConfig)


class Subject(ABC, Generic[Config]):
    """What is trained: which settings there are, what learns, and from which samples."""

    config: type[Config]
    """The settings' type."""

    @abstractmethod
    def started_from(self, config: Config, start: str) -> Config:
        """Return the settings of a run that starts from a checkpoint: with its architecture.

        Raises:
            InputNotFoundError: there is no such file.
            InputError: the checkpoint and the settings are of different networks.
            ModelError: it is no checkpoint of such a network, or its weights do not fit what the settings change.
        """

    @abstractmethod
    def learner(self, config: Config, fabric: Fabric, start: str | None) -> Learner[Any, Any]:
        """Return what learns, from the weights of the checkpoint `start` or from random ones."""

    @abstractmethod
    def samples(self, config: Config, clips: ClipCache, flow: FlowCache | None) -> Samples:
        """Return the samples that the settings ask for.

        Args:
            config: the settings.
            clips: the clips.
            flow: flow of their complete frames; computed as needed without it.

        Raises:
            InputError: the clips do not allow them.
        """


def start_run(subject: Subject[Config], run: Path, config: Config, arguments: Arguments) -> str:
    """Begin a run in a new folder.

    Returns:
        A line about what has come of it.

    Raises:
        OutputExistsError: the folder holds a run.
        InputError: the data, the settings or the checkpoint cannot be used.
        BackendError: the device is not there.
        InterruptedRunError: a signal stopped it; the state is saved.
        DivergenceError: see `Trainer.train`.
    """
    folder = RunFolder(run)
    folder.check_new()
    fabric = _open(config, arguments)
    if arguments.start is not None:
        config = subject.started_from(config, arguments.start)
    arguments = replace(arguments, command=config.command)
    return _finish(_trainer(subject, folder, config, arguments, fabric, new=True))


def resume_run(subject: Subject[Config], run: Path, *, steps: int | None = None, **changes: Any) -> str:
    """Go on with a run.

    Args:
        subject: what is trained.
        run: its folder.
        steps: a new number of steps in all; a run may be lengthened.
        changes: arguments that differ in this session from those of the folder.

    Returns:
        A line about what has come of it.

    Raises:
        InputError: the folder holds no run, or one of another sub-command, or its data is not there any more, or more
            steps are done than are asked for.
        BackendError: the device is not there.
        InterruptedRunError: a signal stopped it; the state is saved.
        DivergenceError: see `Trainer.train`.
    """
    folder = RunFolder.open(run)
    arguments = from_object(Arguments, folder.read_arguments(), str(folder.arguments))
    if arguments.command != subject.config.command:
        raise InputError(f"{run}: is a run of another kind; go on with: ptfan {arguments.command} --resume {run}")
    config = subject.config.read(folder.config).changed(steps=steps)
    arguments = replace(arguments, **changes)
    return _finish(_trainer(subject, folder, config, arguments, _open(config, arguments), new=False))


def _finish(trainer: Trainer) -> str:
    before = trainer.progress.step
    trainer.train()
    steps = trainer.progress.step
    hint = "" if before < steps else "; --steps lengthens the run"
    return f"{trainer.folder.checkpoint}: {steps} of {steps} steps are done{hint}"


def _open(config: RunConfig, arguments: Arguments) -> Fabric:
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    return open_fabric(arguments.device, config.precision)


def _trainer(
    subject: Subject[Config], folder: RunFolder, config: Config, arguments: Arguments, fabric: Fabric, *, new: bool
) -> Trainer:
    """Put a run together; its folder is made when nothing can fail any more that a user could mend."""
    start = None if folder.state.exists() else arguments.start
    learner = subject.learner(config, fabric, start)
    with fabric.rank_zero_first(local=True):  # the others find the clips decoded
        clips = arguments.source.decode(folder.path)
    samples = subject.samples(config, clips, arguments.source.flow_cache())
    record = {"clips": clips.names(), "started_from": arguments.start and Path(arguments.start).name}
    trainer = Trainer(learner, samples, folder, record=record, options=arguments)
    if fabric.is_global_zero:
        if new:
            folder.create(config, asdict(arguments))
        else:
            folder.write_config(config)
        session = describe_environment(fabric, seed=config.seed, first_step=trainer.progress.step)
        _add_session(folder, session | {"data": clips.fingerprint()})
    fabric.barrier()
    return trainer


def _add_session(folder: RunFolder, session: dict[str, Any]) -> None:
    """Note a session, and warn if it learns from other data than the one before."""
    if any(last.get("data", session["data"]) != session["data"] for last in folder.sessions()[-1:]):
        LOG.warning("%s: the clips are others, or have changed, since the last session; using them", folder.path)
    folder.add_session(session)
