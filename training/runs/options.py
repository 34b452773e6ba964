"""What the sub-commands that train have in common: their options, and how they begin or go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ptfan.engine.commands.messages import say
from ptfan.engine.errors import DivergenceError, InputError, InterruptedRunError
from ptfan.engine.interrupts import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from ptfan.training.runs.run import Subject

__all__ = ["absolute", "add_trainer", "option", "train"]


def option(*names: Any, text: str, machine: bool = False, **more: Any) -> Any:
    """Return an option of one of the two panels."""
    return typer.Option(*names, help=text, rich_help_panel="Machine and pace" if machine else "The run", **more)


Data = Annotated[Path | None, option("--data", text="Clips to learn from.")]
Run = Annotated[Path | None, option("--run", "-o", text="Folder of the new run.")]
Resume = Annotated[Path | None, option("--resume", text="Folder of a run to go on with; needs nothing else.")]
Start = Annotated[Path | None, option("--from", text="Checkpoint whose weights to start from.")]
Steps = Annotated[int | None, option("--steps", min=1, text="Steps in the whole run, in place of the settings'.")]
Dataset = Annotated[
    str | None, option("--layout", text="videos, davis, youtube-vos or fvi; told from the folder without it.")
]
Split = Annotated[str | None, option("--split", text="Part of the dataset: train, val, Train ...")]
Longest = Annotated[
    int | None,
    option("--longest", min=16, text="Scale larger frames down until their longer side has so many pixels."),
]
Flow = Annotated[Path | None, option("--flow", text="Cache of complete frames' flow, made by `ptfan flow`.")]
Clips = Annotated[Path | None, option("--clips", text="Text file: the names of the clips to use, one a line.")]
Cache = Annotated[Path | None, option("--cache", text="Folder for decoded clips (0.3 MB a frame); else RUN/cache.")]
Device = Annotated[str | None, option("--device", machine=True, text="cpu (by default), cuda, cuda:1 ...")]
Threads = Annotated[int | None, option("--threads", machine=True, min=0, text="Threads of torch; 0: its own; else 1.")]
Workers = Annotated[int | None, option("--workers", machine=True, min=0, text="Processes that make samples; else 1.")]
SaveEvery = Annotated[int | None, option("--save-every", machine=True, min=1, text="Steps between saves; else 250.")]
KeepEvery = Annotated[
    int | None, option("--keep-every", machine=True, min=0, text="Steps between checkpoints that stay; else 5000.")
]
LogEvery = Annotated[
    int | None, option("--log-every", machine=True, min=1, text="Steps to an entry of the log; else 25.")
]


def absolute(path: Path | None) -> str | None:
    """Return what is written down, so that a run goes on from anywhere."""
    return None if path is None else str(path.resolve())


def add_trainer(app: typer.Typer, name: str, subject: Callable[[], Subject[Any]], *, usual: str, text: str) -> None:
    """Add a sub-command that trains something by settings alone, with the options that all of them have.

    Args:
        app: the application.
        name: the sub-command's.
        subject: makes what is trained; torch is imported only then.
        usual: the name of the settings that come with the package.
        text: its help.
    """
    config_option = option(None, "--config", metavar="NAME|PATH", text=f"Settings: {usual}, or a JSON file.")

    def command(
        data: Data = None,
        run: Run = None,
        resume: Resume = None,
        config: str | None = config_option,
        start: Start = None,
        steps: Steps = None,
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
        source = {
            "data": absolute(data),
            "layout": layout,
            "split": split,
            "clips": absolute(clips),
            "longest": longest,
            "cache": absolute(cache),
            "flow": absolute(flow),
        }
        machine = {
            "device": device,
            "threads": threads,
            "workers": workers,
            "save_every": save_every,
            "keep_every": keep_every,
            "log_every": log_every,
        }
        given: dict[str, Any] = {"config": config, "usual": usual, "start": start, "steps": steps}
        train(subject, run, resume, **given, source=source, machine=machine)

    app.command(name, help=text)(command)


def train(
    subject: Callable[[], Subject[Any]],
    run: Path | None,
    resume: Path | None,
    *,
    config: str | None,
    usual: str,
    start: Path | None,
    steps: int | None,
    changes: Mapping[str, str | None] | None = None,
    source: Mapping[str, Any],
    machine: Mapping[str, Any],
) -> None:
    """Begin a run, or go on with one.

    Args:
        subject: makes what is trained; torch is imported only then.
        run: the folder of a new run.
        resume: the folder of a run to go on with.
        config: the settings' name or file.
        usual: their name where none is given.
        start: the checkpoint to start from.
        steps: in place of the settings'.
        changes: other settings that options change, by name.
        source: the fields of `DataSource`.
        machine: fields of `Arguments`.

    Raises:
        InputError: the options do not go together, and whatever `start_run` and `resume_run` raise.
    """
    changes = changes or {}
    if resume is not None:
        given = {"run": run, "config": config, "from": start, **changes, **source}
        useless = [f"--{name}" for name, value in given.items() if value is not None]
        if useless:
            raise InputError(f"training: --resume takes {', '.join(useless)} from the run's folder; leave it out")
        from ptfan.training.runs.run import resume_run

        with _one_voice() as tell:
            tell(resume_run(subject(), resume, steps=steps, **machine))
    elif source["data"] is None or run is None:
        raise InputError("training: a new run needs --data and --run; an old one goes on with --resume RUN alone")
    else:
        arguments = {**machine, "start": absolute(start)}
        _start(subject(), run, config or usual, {"steps": steps, **changes}, source, arguments)


def _start(
    subject: Subject[Any],
    run: Path,
    config: str,
    changes: Mapping[str, Any],
    source: Mapping[str, Any],
    arguments: Mapping[str, Any],
) -> None:
    from ptfan.training.runs.data import DataSource
    from ptfan.training.runs.run import Arguments, start_run

    settings = subject.config.read(config).changed(**changes)
    given = {name: value for name, value in arguments.items() if value is not None}
    with _one_voice() as tell:
        tell(start_run(subject, run, settings, Arguments(source=DataSource(**source), **given)))


@contextmanager
def _one_voice() -> Iterator[Callable[[str], None]]:
    """Let the first process alone say what ends all processes of a run; yield what says a line for all of them."""
    first = int(os.environ.get("RANK", "0")) == 0
    try:
        yield say if first else _keep_silent
    except (InterruptedRunError, DivergenceError) as error:
        if first:
            raise
        raise typer.Exit(EXIT_INTERRUPTED if isinstance(error, InterruptedRunError) else 2) from error


def _keep_silent(line: str) -> None:
    pass
