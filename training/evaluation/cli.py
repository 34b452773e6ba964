"""`ptfan eval`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ptfan.engine.commands.options import ColourCompletionOption, FlowCompletionOption
from ptfan.engine.commands.panels import MODELS

if TYPE_CHECKING:
    from ptfan.engine.spec import CompletionName

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the sub-command to the application; nothing heavy is imported before it runs."""
    app.command("eval", rich_help_panel=MODELS)(_evaluate)


def _evaluate(
    data: Annotated[
        Path, typer.Option(help="The dataset; for `folder` a folder of videos, with masks of objects in NAME_mask.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for reports; with an earlier one, only what is missing is done."),
    ],
    protocol: Annotated[
        str,
        typer.Option(help="folder, davis-stationary, davis-object, fvi-curve, fvi-object or fvi-stationary."),
    ] = "folder",
    model: Annotated[
        list[str] | None, typer.Option(help="A model: its name, an ONNX file or a checkpoint; NAME=FILE; repeatable.")
    ] = None,
    baseline: Annotated[list[str] | None, typer.Option(help="telea or propagation; repeatable.")] = None,
    kinds: Annotated[
        str | None,
        typer.Option(
            help="Holes of `folder`, with commas: box, text, caption, object, free-form; without it box,text,object."
        ),
    ] = None,
    ratio: Annotated[int, typer.Option(help="Holes of fvi-curve and fvi-object: 5, 15 ... 65 % of the frame.")] = 35,
    frames: Annotated[
        int | None, typer.Option(min=2, help="The most frames of a clip; the protocol's own (folder: 40) without it.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the holes that the dataset does not bring.")] = 0,
    crop: Annotated[bool, typer.Option(help="Show models a crop round the hole, or the whole frame.")] = True,
    flow_completion: FlowCompletionOption = "learned",
    colour_completion: ColourCompletionOption = "learned",
    metrics: Annotated[
        str | None,
        typer.Option(
            help="With commas: psnr, ssim, warp, lpips, st-lpips, vfid; without it all whose weights are there."
        ),
    ] = None,
    lpips: Annotated[str | None, typer.Option(help="LPIPS: torchvision's alexnet or vgg16 weights.")] = None,
    lpips_heads: Annotated[Path | None, typer.Option(help="LPIPS: its own weights (alex.pth or vgg.pth).")] = None,
    st_lpips: Annotated[str | None, typer.Option(help="ST-LPIPS: its weights, or alexnet-st or vgg16-st.")] = None,
    every: Annotated[
        int, typer.Option("--perceptual-every", min=1, help="LPIPS and ST-LPIPS of every so-many-th frame.")
    ] = 1,
    i3d: Annotated[Path | None, typer.Option(help="VFID: I3D's weights (i3d_rgb_imagenet.pt).")] = None,
    threads: Annotated[
        int, typer.Option(min=0, help="Threads of a network; 0: one a core, half as many for int8.")
    ] = 0,
) -> None:
    """Measure quality: cut holes into complete clips, fill them, compare with what was there.

    A second call with the same folder computes only what is missing. docs/evaluation.md explains protocols and figures.

    Example: `ptfan eval --data clips/ --model s --baseline telea --baseline propagation -o report`
    """
    from ptfan.training.evaluation.command import EvaluationSettings, run_evaluation
    from ptfan.training.evaluation.measures import Weights

    settings = EvaluationSettings(
        data=data,
        protocol=protocol,
        kinds=tuple(kinds.split(",")) if kinds else None,
        frames=frames,
        seed=seed,
        ratio=ratio,
        models=tuple(model or ()),
        baselines=tuple(baseline or ()),
        crop=crop,
        threads=threads,
        flow_completion=cast("CompletionName", flow_completion),  # checked with the models' other settings
        colour_completion=cast("CompletionName", colour_completion),
        metrics=tuple(metrics.split(",")) if metrics else None,
        weights=Weights(lpips=lpips, lpips_heads=lpips_heads, st_lpips=st_lpips, i3d=i3d, every=every),
    )
    run_evaluation(settings, output)
    typer.echo((output / "scores.md").read_text(encoding="utf-8"))
