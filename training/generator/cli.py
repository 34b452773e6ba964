"""`ptfan train`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ptfan.training.runs.options import (
    Cache,
    Clips,
    Data,
    Dataset,
    Device,
    Flow,
    KeepEvery,
    LogEvery,
    Longest,
    Resume,
    Run,
    SaveEvery,
    Split,
    Start,
    Steps,
    Threads,
    Workers,
    absolute,
    option,
    train,
)

if TYPE_CHECKING:
    from ptfan.training.generator.run import GeneratorSubject

__all__ = ["train_command"]

Config = Annotated[
    str | None, option("--config", metavar="NAME|PATH", text="Settings: s, paper-fvi-1 ... or a JSON file.")
]
Backbone = Annotated[
    str | None, option("--backbone", metavar="NAME|PATH", text="Perceptual network: vgg16, vgg16-st ... or weights.")
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
    train(
        _subject,
        run,
        resume,
        config=config,
        usual="s",
        start=start,
        steps=steps,
        changes={"backbone": _backbone(backbone)},
        source=source,
        machine=machine,
    )


def _subject() -> GeneratorSubject:
    from ptfan.training.generator.run import GeneratorSubject

    return GeneratorSubject()


def _backbone(source: str | None) -> str | None:
    """Return the name of a feature network, or its file's absolute path."""
    return source if source is None or not Path(source).is_file() else str(Path(source).resolve())
