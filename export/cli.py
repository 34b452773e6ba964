"""The sub-commands of export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from ptfan.engine.commands.panels import MODELS
from ptfan.engine.errors import InputError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the sub-commands to the application; torch and ONNX are imported only when one runs."""
    app.command("export", rich_help_panel=MODELS)(_export)
    app.command("quantize", rich_help_panel=MODELS)(_quantize)


def _export(
    checkpoint: Annotated[Path, typer.Argument(help="What training or the import wrote (.safetensors).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The ONNX file to write.")],
    form: Annotated[
        str,
        typer.Option(help="clip: a window of frames at once; step: a frame at a time, each once, as `s` has it."),
    ] = "clip",
    precision: Annotated[str, typer.Option(help="Of the features: fp32 or fp16.")] = "fp32",
    weights: Annotated[
        str, typer.Option(help="How weights are stored: same (as in computing), or fp16 for a file of half the size.")
    ] = "same",
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Fix the size, multiples of 8.", show_default="any size"),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(metavar="T", help="Fix the number of frames.", show_default="any number"),
    ] = None,
    streams: Annotated[
        int | None,
        typer.Option(metavar="B", help="Fix the number of streams of the step form.", show_default="any number"),
    ] = None,
    stride: Annotated[
        int | None,
        typer.Option(
            help="Frames that are kept of a window.", show_default="24 of 30; 9 of 15 for the published network"
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="The model's name.", show_default="the checkpoint's own"),
    ] = None,
    clip: Annotated[
        Path | None,
        typer.Option(help="Video to compare torch and ONNX Runtime on.", show_default="the demo's"),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(help="The clip's hole.", show_default="a box in the middle"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
) -> None:
    """Export a checkpoint to ONNX, and compare the result with torch.

    The checkpoint tells what it is: a network that fills holes, or one that completes flow or colours or finds text (of
    `ptfan train-flow`, `train-colour` and `train-text`), to which of the options only --weights and --overwrite apply.

    Example: `ptfan export runs/first/checkpoint.safetensors -o mine.onnx --form step`
    """
    from ptfan.engine.commands.values import parse_pixels
    from ptfan.engine.spec import Precision
    from ptfan.export.dimensions import Dimensions
    from ptfan.export.settings import ExportSettings, GraphForm, WeightStorage

    fixed = None if size is None else parse_pixels(size)
    settings = ExportSettings(
        form=cast("GraphForm", form),  # checked there, like the next two
        precision=cast("Precision", precision),
        weights=cast("WeightStorage", weights),
        dimensions=Dimensions(window if form == "clip" else streams, fixed),
        name=name,
        stride=stride,
        clip=clip,
        mask=mask,
    )
    if (streams if form == "clip" else window) is not None:
        wrong, right = ("--streams", "--window") if form == "clip" else ("--window", "--streams")
        raise InputError(f"{wrong} does not fit the {form} form, which has {right}")
    from ptfan.export.exporter import export_checkpoint

    done = export_checkpoint(checkpoint, output, settings, overwrite=overwrite)
    frames, height, width = done.shape
    typer.echo(f"torch against ONNX Runtime on {frames} frames of {width}x{height}: {done.comparison}")
    typer.echo(
        f"wrote {output}: model {done.spec.name}, {done.spec.precision}"
        f"{' with weights stored as fp16' if settings.weights != 'same' else ''}, "
        f"{done.spec.parameters / 1e6:.2f} M parameters, {done.size / 1e6:.1f} MB"
    )


def _quantize(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of the package, or an ONNX file; fp32.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The ONNX file to write.")],
    data: Annotated[Path, typer.Option(help="Complete clips, in any layout that `ptfan train` takes.")],
    clips: Annotated[
        Path | None,
        typer.Option(help="A list of clips' names, one a line.", show_default="all of them"),
    ] = None,
    frames: Annotated[int, typer.Option(min=2, help="The most frames of a clip.")] = 40,
    every: Annotated[int, typer.Option(min=1, help="Measure every so-many-th call of the network.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the holes.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the network; 0 takes one a core.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Make an int8 file of a model, for CPUs, and compare the two.

    Its convolutions multiply 8-bit numbers, which is faster on processors with VNNI or Arm's dot product. The ranges of
    its values are measured while the model fills random holes of the clips; a dozen clips will do.

    Example: `ptfan quantize mine.onnx --data clips/ -o mine-int8.onnx`
    """
    from ptfan.engine.progress import choose_progress
    from ptfan.export.int8.calibration import CalibrationSettings
    from ptfan.export.int8.quantize import quantize_model

    settings = CalibrationSettings(data=data, clips=clips, frames=frames, every=every, seed=seed, threads=threads)
    told = quantize_model(model, output, settings, overwrite=overwrite, progress=choose_progress(quiet=quiet))
    typer.echo(told, nl=False)
    typer.echo(f"wrote {output}: {output.stat().st_size / 1e6:.1f} MB")
