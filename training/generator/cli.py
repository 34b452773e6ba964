"""`ptfan train`: the generator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ptfan.training.runs.options import add_trainer, option

if TYPE_CHECKING:
    from ptfan.training.generator.run import GeneratorSubject

__all__ = ["register"]

TRAIN = """Train a model on real clips with random holes.

The run's folder gets the settings, versions and machine, a log, curves, TensorBoard's files, the state to go on
from, and `checkpoint.safetensors`. Ctrl-C saves and stops. Several GPUs: see docs/training.md.

Example: `ptfan train --data videos/ -o runs/first`, and after a stop: `ptfan train --resume runs/first`
"""


def register(app: typer.Typer) -> None:
    """Add the sub-command to the application; torch is imported only when it runs."""
    backbone = option(
        str, "Perceptual network: vgg16, vgg16-st ... or weights.", metavar="NAME|PATH", callback=_absolute
    )
    config = "Settings: s, paper-fvi-1 ... or a JSON file."
    add_trainer(app, "train", _subject, usual="s", config=config, text=TRAIN, changes={"backbone": backbone})


def _subject() -> GeneratorSubject:
    from ptfan.training.generator.run import GeneratorSubject

    return GeneratorSubject()


def _absolute(source: str | None) -> str | None:
    """Return the name of a feature network, or its file's absolute path."""
    return source if source is None or not Path(source).is_file() else str(Path(source).resolve())
