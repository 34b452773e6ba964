"""`ptfan build`: ONNX to a TensorRT plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ptfan.engine.commands.messages import say
from ptfan.engine.commands.options import OUTPUT_PANEL, DeviceOption, OverwriteOption, QuietOption
from ptfan.engine.commands.panels import MACHINE

__all__ = ["build_command", "register"]

EPILOG = """
**Examples**

    # On the machine that is to run it
    ptfan build s-live -o s-live.plan

    # For crops of up to 1280x720, four streams at once, with the C++ plugin
    ptfan build s -o s.plan --max 1280x720 --frames 4 --plugin libptfan_plugin.so

    # Half precision is the model's matter
    ptfan build s-fp16 -o s-fp16.plan --timing-cache timing.bin
"""
SIZES_PANEL = "Sizes"
PORTABILITY_PANEL = "Portability"


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("build", epilog=EPILOG, rich_help_panel=MACHINE)(build_command)


def build_command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of the package, or an ONNX file.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="PLAN", help="The plan; PLAN.json is its record.", rich_help_panel=OUTPUT_PANEL
        ),
    ],
    least: Annotated[
        str | None,
        typer.Option("--min", metavar="WxH", help="Smallest size.", show_default="64x64", rich_help_panel=SIZES_PANEL),
    ] = None,
    usual: Annotated[
        str | None,
        typer.Option(
            "--opt",
            metavar="WxH",
            help="What it is fastest at.",
            show_default="the model's working size",
            rich_help_panel=SIZES_PANEL,
        ),
    ] = None,
    most: Annotated[
        str | None,
        typer.Option(
            "--max", metavar="WxH", help="Largest size.", show_default="twice --opt", rich_help_panel=SIZES_PANEL
        ),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Frames of a window, or streams of a step model, at the most.",
            show_default="the model's window, one stream",
            rich_help_panel=SIZES_PANEL,
        ),
    ] = None,
    plugin: Annotated[
        str | None,
        typer.Option(
            metavar="LIBRARY|python|none",
            help="What computes the warp: libptfan_plugin.so, the plugin in Python, or operators of TensorRT's own.",
            show_default="$PTFAN_PLUGIN, the library beside PLAN, python; none for tensorrt_rtx",
        ),
    ] = None,
    embed_plugin: Annotated[
        bool,
        typer.Option(
            "--embed-plugin",
            help="Put the library into the plan; needs --version-compatible.",
            rich_help_panel=PORTABILITY_PANEL,
        ),
    ] = False,
    version_compatible: Annotated[
        bool,
        typer.Option(
            "--version-compatible",
            help="Later versions of TensorRT run it, too.",
            rich_help_panel=PORTABILITY_PANEL,
        ),
    ] = False,
    hardware_compatible: Annotated[
        bool,
        typer.Option(
            "--hardware-compatible",
            help="Other GPUs run it, too, from compute capability 8.0 on.",
            rich_help_panel=PORTABILITY_PANEL,
        ),
    ] = False,
    timing_cache: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep what was measured here; the next build is faster."),
    ] = None,
    device: DeviceOption = 0,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Build a TensorRT plan of a model, for this machine's GPU.

    Its record tells how to feed it and what it was built for; ptfan runs a plan only where it fits. TensorRT for RTX
    builds without a GPU, for all GPUs from compute capability 8.0 on.
    """
    from ptfan.engine.commands.values import parse_pixels
    from ptfan.engine.interrupts import stop_on_signals
    from ptfan.engine.progress import choose_progress
    from ptfan.engine.runners.trt.build import BuildSettings, build_plan

    settings = BuildSettings(
        least=None if least is None else parse_pixels(least),
        usual=None if usual is None else parse_pixels(usual),
        most=None if most is None else parse_pixels(most),
        frames=frames,
        plugin=plugin,
        embed_plugin=embed_plugin,
        timing_cache=timing_cache,
        version_compatible=version_compatible,
        hardware_compatible=hardware_compatible,
        gpu=device,
    )
    with stop_on_signals() as stop:
        record = build_plan(
            model, output, settings, overwrite=overwrite, progress=choose_progress(quiet=quiet), stop=stop
        )
    if not quiet:
        where = "every GPU from compute capability 8.0 on" if record.gpu is None else record.gpu.name
        say(
            f"{output}: {record.spec.name}, {record.spec.precision}, {record.sizes}, plugin {record.plugin}, "
            f"{record.tensorrt} {record.tensorrt_version}, {where}, {output.stat().st_size / 1e6:.1f} MB"
        )
