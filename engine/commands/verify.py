"""`ptfan verify`: does a model answer like its reference?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ptfan.engine.commands.messages import say, say_error, say_warning
from ptfan.engine.commands.options import (
    OUTPUT_PANEL,
    BackendOption,
    ColourCompletionOption,
    DeviceOption,
    FlowCompletionOption,
    NoCropOption,
    OverwriteOption,
    QuietOption,
    ReportOption,
    SizeOption,
    ThreadsOption,
    WindowOption,
)
from ptfan.engine.commands.panels import MACHINE
from ptfan.engine.commands.values import check_clip_and_mask, read_backend, read_settings
from ptfan.engine.spec import LEAST_PSNR

__all__ = ["register", "verify_command"]

EPILOG = """
Exit status: 0 when the answers are near enough to each other, 1 when they are not, 2 when they could not be compared.

**Examples**

    # A file of another precision against the model of its name in the package, on the demo's clip
    ptfan verify s-fp16

    # Against the checkpoint, in torch, with the worst frame as a picture
    ptfan verify s --against training/checkpoints/s.safetensors -o worst.png

    # On a clip of your own
    ptfan verify mine.onnx --against mine.safetensors --clip clip.mp4 --mask logo.png --json verify.json
"""


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("verify", epilog=EPILOG, rich_help_panel=MACHINE)(verify_command)


def verify_command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of the package, or a file.")],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="The reference: another model, file or checkpoint.",
            show_default="the package's model of the same name and weights",
        ),
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(metavar="VIDEO", help="Video or folder of images.", show_default="the demo's"),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option("--mask", "-m", metavar="MASK", help="The mask of that clip.", show_default="the demo's"),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Compare only the first N frames.", show_default="all"),
    ] = None,
    least_psnr: Annotated[
        float, typer.Option(metavar="DB", help="The least PSNR in the hole that passes.")
    ] = LEAST_PSNR,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PNG",
            help="Draw the worst frame: both answers and their difference, amplified.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    json: ReportOption = None,
    overwrite: OverwriteOption = False,
    size: SizeOption = None,
    no_crop: NoCropOption = False,
    window: WindowOption = None,
    flow_completion: FlowCompletionOption = "learned",
    colour_completion: ColourCompletionOption = "learned",
    backend: BackendOption = "auto",
    against_backend: Annotated[
        str, typer.Option("--against-backend", metavar="NAME", help="What runs the reference; named as for --backend.")
    ] = "auto",
    device: DeviceOption = 0,
    threads: ThreadsOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Compare a model with another precision, backend or form of it, or with its checkpoint, on a real clip.

    Both fill the same holes of the same frames, prepared once; the errors are those of the network's answers before
    they are rounded. Each window is a clip of its own, so that clip and step form must agree as well.
    """
    from ptfan.engine.commands.side_file import SideFile
    from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
    from ptfan.engine.pictures.picture import encode_png
    from ptfan.engine.progress import choose_progress
    from ptfan.engine.roles import Role, check_apart
    from ptfan.engine.verify.run import VerifySettings, verify

    check_apart([Role("picture", output), Role("report", json)], [Role("clip", clip), Role("mask", mask)])
    picture_file, report_file = SideFile(output, overwrite), SideFile(json, overwrite)
    check_clip_and_mask("comparing needs", clip, mask)
    inpaint = read_settings(
        size=size,
        no_crop=no_crop,
        window=window,
        flow_completion=flow_completion,
        colour_completion=colour_completion,
        backend=backend,
        device=device,
        threads=threads,
    )
    settings = VerifySettings(
        clip=clip or DEMO_CLIP,
        mask=mask or DEMO_MASK,
        frames=frames,
        inpaint=inpaint,
        against_backend=read_backend(against_backend),
        least_psnr=least_psnr,
    )
    found = verify(model, against, settings, progress=choose_progress(quiet=quiet), warn=say_warning)
    typer.echo(found.table, nl=False)
    report_file.write(found.to_json())
    if output is not None:
        picture_file.write(encode_png(found.worst.picture()))
        if not quiet:
            say(f"{output}: frame {found.worst.index}, the worst")
    if not found.passed:
        say_error(f"PSNR in the hole is {found.hole.psnr:.1f} dB, expected {least_psnr:g} dB or more")
        raise typer.Exit(1)
