"""`ptfan train`: its options."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ptfan.engine.errors import DivergenceError, InputError, InterruptedRunError
from ptfan.engine.interrupts import EXIT_INTERRUPTED

__all__ = ["train_command"]


def _option(*names: str, text: str, machine: bool = False, **more: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel="Machine and pace" if machine else "The run", **more)


Data = Annotated[Path | None, _option("--data", text="Clips to learn from.")]
Run = Annotated[Path | None, _option("--run", "-o", text="Folder of the new run.")]
Resume = Annotated[Path | None, _option("--resume", text="Folder of a run to go on with; needs nothing else.")]
Config = Annotated[
    str | None, _option("--config", metavar="NAME|PATH", text="Settings: s, paper-fvi-1 ... or a JSON file.")
]
Start = Annotated[Path | None, _option("--from", text="Checkpoint whose weights to start from.")]
Steps = Annotated[int | None, _option("--steps", min=1, text="Steps in the whole run, in place of the settings'.")]
Backbone = Annotated[
    str | None, _option("--backbone", metavar="NAME|PATH", text="Perceptual network: vgg16, vgg16-st ... or weights.")
]
Dataset = Annotated[
    str | None, _option("--layout", text="videos, davis, youtube-vos or fvi; told from the folder without it.")
]
Split = Annotated[str | None, _option("--split", text="Part of the dataset: train, val, Train ...")]
Longest = Annotated[
    int | None,
    _option("--longest", min=16, text="Scale larger frames down until their longer side has so many pixels."),
]
Flow = Annotated[Path | None, _option("--flow", text="Cache of complete frames' flow, made by `ptfan flow`.")]
Clips = Annotated[Path | None, _option("--clips", text="Text file: the names of the clips to use, one a line.")]
Cache = Annotated[Path | None, _option("--cache", text="Folder for decoded clips (0.3 MB a frame); else RUN/cache.")]
Device = Annotated[str | None, _option("--device", machine=True, text="cpu (by default), cuda, cuda:1 ...")]
Threads = Annotated[int | None, _option("--threads", machine=True, min=0, text="Threads of torch; 0: its own; else 1.")]
Workers = Annotated[int | None, _option("--workers", machine=True, min=0, text="Processes that make samples; else 1.")]
SaveEvery = Annotated[int | None, _option("--save-every", machine=True, min=1, text="Steps between saves; else 250.")]
KeepEvery = Annotated[
    int | None, _option("--keep-every", machine=True, min=0, text="Steps between checkpoints that stay; else 5000.")
]
LogEvery = Annotated[
    int | None, _option("--log-every", machine=True, min=1, text="Steps to an entry of the log; else 25.")
]


def train_command(
    data: Data = None,
    run: Run = None,
    resume: Resume = None,
    config: Config = None,
    start: Start = None,
    steps: Steps = None,
    backbone: Backbone = None,
    layout: Dataset = None,
    split: Split = None,
    clips: Clips = None,
    longest: Longest = None,
    cache: Cache = None,
    flow: Flow = None,
    device: Device = None,
    threads: Threads = None,
    workers: Workers = None,
    save_every: SaveEvery = None,
    keep_every: KeepEvery = None,
    log_every: LogEvery = None,
) -> None:
    """Train a model on real clips with random holes.

    The run's folder gets the settings, versions and machine, a log, curves, TensorBoard's files, the state to go on
    from, and `checkpoint.safetensors`. Ctrl-C saves and stops. Several GPUs: see docs/training.md.

    Example: `ptfan train --data videos/ -o runs/first`, and after a stop: `ptfan train --resume runs/first`
    """
    machine = {
        "device": device,
        "threads": threads,
        "workers": workers,
        "save_every": save_every,
        "keep_every": keep_every,
        "log_every": log_every,
    }
    source = {
        "data": _absolute(data),
        "layout": layout,
        "split": split,
        "clips": _absolute(clips),
        "longest": longest,
        "cache": _absolute(cache),
        "flow": _absolute(flow),
    }
    if resume is not None:
        _resume(resume, {"run": run, "config": config, "from": start, "backbone": backbone, **source}, steps, machine)
    elif data is None or run is None:
        raise InputError("train: a new run needs --data and --run; an old one goes on with --resume RUN alone")
    else:
        changes: dict[str, Any] = {"steps": steps, "backbone": _backbone(backbone)}
        _start(run, config or "s", changes, source, {"start": _absolute(start), **machine})


def _absolute(path: Path | None) -> str | None:
    """Return what is written down, so that a run goes on from anywhere."""
    return None if path is None else str(path.resolve())


def _backbone(source: str | None) -> str | None:
    """Return the name of a feature network, or its file's absolute path."""
    return source if source is None or not Path(source).is_file() else str(Path(source).resolve())


def _start(run: Path, config: str, changes: dict[str, Any], source: dict[str, Any], arguments: dict[str, Any]) -> None:
    from ptfan.training.config import TrainConfig
    from ptfan.training.run import Arguments, start_run
    from ptfan.training.run_data import DataSource

    settings = TrainConfig.read(config).changed(**changes)
    given = {name: value for name, value in arguments.items() if value is not None}
    with _one_voice():
        start_run(run, settings, Arguments(source=DataSource(**source), **given))


def _resume(run: Path, given: dict[str, object], steps: int | None, machine: dict[str, Any]) -> None:
    useless = [f"--{name}" for name, value in given.items() if value is not None]
    if useless:
        raise InputError(f"train: --resume takes {', '.join(useless)} from the run's folder; leave it out")
    from ptfan.training.run import resume_run

    with _one_voice():
        resume_run(run, steps=steps, **machine)


@contextmanager
def _one_voice() -> Iterator[None]:
    """Let the first process alone say what ends all processes of a run."""
    try:
        yield
    except (InterruptedRunError, DivergenceError) as error:
        if int(os.environ.get("RANK", "0")) == 0:
            raise
        raise typer.Exit(EXIT_INTERRUPTED if isinstance(error, InterruptedRunError) else 2) from error
