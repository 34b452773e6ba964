"""The sub-commands that train: their options, and how they begin or go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ptfan.engine.commands.messages import say
from ptfan.engine.commands.panels import MODELS
from ptfan.engine.errors import DivergenceError, InputError, InterruptedRunError
from ptfan.engine.interrupts import EXIT_INTERRUPTED
from ptfan.training.runs.session_options import SessionOptions

if TYPE_CHECKING:
    from ptfan.training.runs.run import Subject

__all__ = ["add_trainer", "option"]


def option(kind: Any, text: str, *names: str, panel: str = "The run", **more: Any) -> Any:
    """Return the annotation of an option that may be left out; it is called as its parameter unless names are given."""
    return Annotated[kind | None, typer.Option(*names, help=text, rich_help_panel=panel, **more)]


def _pace(kind: Any, text: str, **more: Any) -> Any:
    return option(kind, text, panel="Machine and pace", **more)


SOURCE = {
    "data": option(Path, "Clips to learn from: a folder of videos, DAVIS, YouTube-VOS or FVI."),
    "layout": option(str, "videos, davis, youtube-vos or fvi; without it told from what the folder holds."),
    "split": option(str, "Part of the dataset: train, val, Train ..."),
    "clips": option(Path, "Text file: the names of the clips to use, one a line."),
    "longest": option(int, "Scale larger frames down until their longer side has so many pixels.", min=16),
    "cache": option(Path, "Folder for decoded clips (0.3 MB a frame); without it RUN/cache."),
    "flow": option(Path, "Cache of complete frames' flow, made by `ptfan flow`."),
}
"""The fields of `DataSource`."""
MACHINE = {
    "device": _pace(str, f"{SessionOptions.device} (the default), cuda, cuda:1 ..."),
    "threads": _pace(int, f"Threads of torch, 0 for its own number; without it {SessionOptions.threads}.", min=0),
    "workers": _pace(int, f"Processes that make samples; without it {SessionOptions.workers}.", min=0),
    "save_every": _pace(int, f"Steps between saves; without it {SessionOptions.save_every}.", min=1),
    "keep_every": _pace(int, f"Steps between checkpoints that stay; without it {SessionOptions.keep_every}.", min=0),
    "log_every": _pace(int, f"Steps to an entry of the log; without it {SessionOptions.log_every}.", min=1),
}
"""The fields of `SessionOptions`."""


def add_trainer(
    app: typer.Typer,
    name: str,
    subject: Callable[[], Subject[Any]],
    *,
    usual: str,
    config: str,
    text: str,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Add a sub-command that trains something, with the options that all of them have.

    Args:
        app: the application.
        name: the sub-command's.
        subject: makes what is trained; torch is imported only then.
        usual: the name of the settings that are taken where none are given.
        config: the help of `--config`: which settings there are.
        text: the sub-command's help.
        changes: options that change further settings, by the names that the settings' `changed` has for them.
    """
    changes = changes or {}
    options = {
        "data": SOURCE["data"],
        "run": option(Path, "Folder of the new run.", "--run", "-o"),
        "resume": option(Path, "Folder of a run to go on with; needs nothing else."),
        "config": option(str, config, metavar="NAME|PATH"),
        "start": option(Path, "Checkpoint whose weights to start from.", "--from"),
        "steps": option(int, "Steps in the whole run, in place of the settings'.", min=1),
        **changes,
        **SOURCE,
        **MACHINE,
    }

    def command(**given: Any) -> None:
        if given["resume"] is None:
            _start(subject, usual, given, ("steps", *changes))
        else:
            _resume(subject, given, ("run", "config", "start", *changes, *SOURCE))

    parameters = [
        Parameter(key, Parameter.KEYWORD_ONLY, default=None, annotation=kind) for key, kind in options.items()
    ]
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # what typer reads the options from
    app.command(name, help=text, rich_help_panel=MODELS)(command)


def _start(subject: Callable[[], Subject[Any]], usual: str, given: Mapping[str, Any], changes: Iterable[str]) -> None:
    """Begin a run."""
    if given["data"] is None or given["run"] is None:
        raise InputError("training: a new run needs --data and --run; an old one goes on with --resume RUN alone")
    from ptfan.training.runs.arguments import Arguments
    from ptfan.training.runs.data import DataSource
    from ptfan.training.runs.run import start_run

    trained = subject()
    config = trained.config.read(given["config"] or usual).changed(**{name: given[name] for name in changes})
    arguments = Arguments(source=DataSource(**_kept(given, SOURCE)), **_kept(given, ("start", *MACHINE)))
    with _one_voice() as tell:
        tell(start_run(trained, given["run"], config, arguments))


def _resume(subject: Callable[[], Subject[Any]], given: Mapping[str, Any], decided: Iterable[str]) -> None:
    """Go on with a run; what its folder has decided cannot be given again."""
    useless = [f"--{'from' if name == 'start' else name}" for name in decided if given[name] is not None]
    if useless:
        raise InputError(f"training: --resume takes {', '.join(useless)} from the run's folder; leave it out")
    from ptfan.training.runs.run import resume_run

    with _one_voice() as tell:
        tell(resume_run(subject(), given["resume"], steps=given["steps"], **_kept(given, MACHINE)))


def _kept(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the options that were given as a run's folder keeps them: by absolute paths it goes on from anywhere."""
    return {
        name: str(value.resolve()) if isinstance(value, Path) else value
        for name in names
        if (value := given[name]) is not None
    }


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
