"""`ptfan flow`: compute and keep the flow of a dataset's complete frames."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ptfan.engine.commands.panels import MODELS

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the sub-command to the application; OpenCV and torch are imported only when it runs."""
    app.command("flow", rich_help_panel=MODELS)(_flow)


def _flow(
    data: Annotated[Path, typer.Option(help="The dataset: a folder of videos, DAVIS, YouTube-VOS or FVI.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the cache: one .npz for each clip.")],
    layout: Annotated[
        str | None, typer.Option(help="videos, davis, youtube-vos or fvi; without it told from what the folder holds.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Part of the dataset: train, val, valid, Train ...")] = None,
    clips: Annotated[Path | None, typer.Option(help="Text file: the names of the clips to take, one a line.")] = None,
    longest: Annotated[
        int | None, typer.Option(min=16, help="Scale larger frames down until their longer side has so many pixels.")
    ] = None,
    method: Annotated[str, typer.Option(help="dis, raft (torchvision), or files (.flo files of the dataset).")] = "dis",
    weights: Annotated[Path | None, typer.Option(help="torchvision's weights of RAFT, large or small.")] = None,
    device: Annotated[str, typer.Option(help="Where RAFT computes: cpu, cuda ...")] = "cpu",
    grid: Annotated[int, typer.Option(min=1, max=8, help="Pixels to one stored vector, along each axis.")] = 2,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Compute and keep the flow of complete frames, for training.

    Run it again to go on after a stop: clips that are done are checked and kept; damaged ones, and those whose frames
    have changed, are computed again.

    Example: `ptfan flow --data videos/ -o flow/`
    """
    from ptfan.engine.commands.messages import say_warning
    from ptfan.engine.interrupts import stop_on_signals
    from ptfan.engine.progress import choose_progress
    from ptfan.training.data.clip_list import clip_list
    from ptfan.training.data.datasets import open_dataset
    from ptfan.training.data.flow.cache import FlowCache
    from ptfan.training.data.flow.computing import choose_method, compute_flow

    chosen = choose_method(method, weights=weights, device=device)
    names = clip_list(clips)
    dataset = open_dataset(data, layout, split=split, names=names, longest=longest)  # type: ignore[arg-type]
    with stop_on_signals() as stop:
        compute_flow(
            dataset,
            FlowCache(output),
            method=chosen,
            grid=grid,
            progress=choose_progress(quiet=quiet),
            stop=stop,
            report=say_warning,
        )
    if not quiet:
        typer.echo(f"flow of {len(dataset.clips)} clips is in {output}")
