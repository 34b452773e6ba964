"""`ptfan ablate`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ptfan.engine.commands.panels import MODELS

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the sub-command to the application; nothing heavy is imported before it runs."""
    app.command("ablate", rich_help_panel=MODELS)(_ablate)


def _ablate(
    data: Annotated[Path, typer.Option(help="The clips to train on.")],
    evaluation: Annotated[Path, typer.Option("--eval", help="Other clips, to evaluate on.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Folder for runs and table; with an earlier one, only what is missing is done."
        ),
    ],
    config: Annotated[
        str | None, typer.Option(help="Settings of every training: a name or a JSON file; a small budget without it.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of every training, in place of the settings'.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="A row to fill beside the reference; repeatable; all rows without it.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every training and of the evaluation's holes.")] = 0,
    kinds: Annotated[
        str, typer.Option(help="Holes to evaluate on, with commas: box, text, caption, object, free-form.")
    ] = "box,free-form",
    frames: Annotated[int, typer.Option(min=2, help="The most frames of an evaluated clip.")] = 16,
    size: Annotated[str, typer.Option(help="Size of the evaluation, multiples of 8.")] = "216x120",
    device: Annotated[str, typer.Option(help="Where to train: cpu, cuda, cuda:1 ...")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="Threads of torch; 0: its own.")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make samples.")] = 1,
) -> None:
    """Train variants of the network for the same short budget, evaluate all, and write one table.

    A second call with the same folder trains and evaluates only what is missing. docs/evaluation.md names the rows.

    Example: `ptfan ablate --data videos/ --eval clips/ -o ablation --only shift --only no-gate`
    """
    from ptfan.engine.commands.values import parse_pixels
    from ptfan.training.ablation.study import AblationSettings, run_ablation

    settings = AblationSettings(
        data=data,
        evaluation=evaluation,
        config=config,
        steps=steps,
        only=tuple(only or ()),
        seed=seed,
        kinds=tuple(kinds.split(",")),
        frames=frames,
        size=parse_pixels(size),
        device=device,
        threads=threads,
        workers=workers,
    )
    typer.echo(run_ablation(settings, output))
