"""The sub-commands of training: train, import-tsam, and those of `evaluation_cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ptfan.training import evaluation_cli

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the sub-commands to the application; torch is imported only when one of them runs."""
    app.command("train")(_train)
    evaluation_cli.register(app)
    app.command("import-tsam")(_import)


def _train(
    data: Annotated[Path, typer.Option(help="Folder of videos to learn from.")],
    run: Annotated[Path, typer.Option("--run", "-o", help="Folder of the run; a run that was stopped goes on.")],
    config: Annotated[Path | None, typer.Option(help="JSON file of settings; the package's own without it.")] = None,
    clips: Annotated[Path | None, typer.Option(help="Text file: the names of the clips to use, one a line.")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder for decoded clips (about 0.3 MB a frame); RUN/cache without it.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1 ...")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="Threads of torch; 0 leaves it to torch.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make samples.")] = 1,
) -> None:
    """Train a model on real clips with random holes; run it again to go on.

    The run's folder gets the settings, a log, a state to resume from, curves, and `checkpoint.safetensors`. Ctrl-C
    saves and stops.

    Example: `ptfan train --data videos/ -o runs/first`
    """
    from ptfan.training.run import run_training

    run_training(
        data=data, run=run, config=config, clips=clips, cache=cache, device=device, threads=threads, workers=workers
    )


def _import(
    source: Annotated[Path, typer.Argument(help="The published checkpoint (.pth).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The checkpoint to write (.safetensors).")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
) -> None:
    """Import the published network's weights, with its warp convention.

    Example: `ptfan import-tsam TSAM.pth -o r50.safetensors`
    """
    from ptfan.training.import_tsam import import_tsam

    import_tsam(source, output, overwrite=overwrite)
    typer.echo(f"wrote {output}")
