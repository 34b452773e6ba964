"""`ptfan train-flow` and `ptfan eval-flow`: the network that completes flow inside holes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ptfan.engine.commands.panels import MODELS
from ptfan.training.runs.options import add_trainer

if TYPE_CHECKING:
    from ptfan.training.flow_completion.run import FlowSubject

__all__ = ["register"]

TRAIN = """Train the network that completes flow inside holes.

It learns from the flow of complete frames (`ptfan flow` keeps it) with random holes. The run's folder is that of
`ptfan train`; `ptfan export` makes the model of its checkpoint, and `ptfan eval-flow` tells how good that is.

Example: `ptfan train-flow --data videos/ --flow flow/ -o runs/flow`
"""


def register(app: typer.Typer) -> None:
    """Add the sub-commands to the application; torch is imported only when one of them runs."""
    add_trainer(app, "train-flow", _subject, usual="flow", config="Settings: flow, or a JSON file.", text=TRAIN)
    app.command("eval-flow", rich_help_panel=MODELS)(_evaluate_flow)


def _subject() -> FlowSubject:
    from ptfan.training.flow_completion.run import FlowSubject

    return FlowSubject()


def _evaluate_flow(
    data: Annotated[Path, typer.Option(help="The dataset, with objects in NAME_mask beside the videos.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report.")],
    model: Annotated[
        Path | None, typer.Option(help="The ONNX file of a flow completion network; the package's own without it.")
    ] = None,
    kinds: Annotated[
        str, typer.Option(help="Holes, with commas: box, text, caption, object, free-form.")
    ] = "box,text,object,free-form",
    frames: Annotated[int, typer.Option(min=2, help="The most frames of a clip.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the free-form holes.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the network; 0 takes one a core.")] = 0,
) -> None:
    """Measure how well flow is completed inside holes: its error, and what is filled along it.

    Smooth completion and the network are compared with the flow of the complete frames.

    Example: `ptfan eval-flow --data clips/ --model flow.onnx -o report`
    """
    from ptfan.engine.models import FLOW_MODEL
    from ptfan.training.flow_completion.evaluation import FlowEvaluation, evaluate_flow

    settings = FlowEvaluation(
        data=data, model=model or FLOW_MODEL, kinds=tuple(kinds.split(",")), frames=frames, seed=seed, threads=threads
    )
    typer.echo(evaluate_flow(settings, output))
