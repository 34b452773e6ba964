"""`ptfan train-colour`: the network that completes the colours of what no frame shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ptfan.training.runs.options import add_trainer

if TYPE_CHECKING:
    from ptfan.training.colour_completion.run import ColourSubject

__all__ = ["register"]

TRAIN = """Train the network that completes the colours of what no frame shows.

It learns from complete clips with random holes, filled as the runtime fills them, and from single frames whose holes
nothing is carried into. The run's folder is that of `ptfan train`; `ptfan export` makes the model of its checkpoint.

Example: `ptfan train-colour --data videos/ -o runs/colour`
"""


def register(app: typer.Typer) -> None:
    """Add the sub-command to the application; torch is imported only when it runs."""
    add_trainer(app, "train-colour", _subject, usual="colour", config="Settings: colour, or a JSON file.", text=TRAIN)


def _subject() -> ColourSubject:
    from ptfan.training.colour_completion.run import ColourSubject

    return ColourSubject()
