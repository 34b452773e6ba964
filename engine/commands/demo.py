"""`ptfan demo`: remove a logo from the clip that comes with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ptfan.engine.commands.messages import say, say_warning
from ptfan.engine.commands.options import BackendOption, DeviceOption, ModelOption, QuietOption, ThreadsOption
from ptfan.engine.commands.panels import CLEAN
from ptfan.engine.commands.values import read_settings

__all__ = ["demo_command", "register"]

EPILOG = """
**Example**

    ptfan demo -o results
"""


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("demo", epilog=EPILOG, rich_help_panel=CLEAN)(demo_command)


def demo_command(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the results go; made if need be.")
    ] = Path("demo-output"),
    model: ModelOption = "s",
    backend: BackendOption = "auto",
    device: DeviceOption = 0,
    threads: ThreadsOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Remove a logo from a short clip, and lay before and after side by side."""
    from ptfan.engine.atomic import write_atomically
    from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
    from ptfan.engine.demo.before_after import before_after
    from ptfan.engine.folders import make_folder
    from ptfan.engine.interrupts import stop_on_signals
    from ptfan.engine.masks.source import open_mask
    from ptfan.engine.pictures.picture import encode_png
    from ptfan.engine.pipeline import inpaint
    from ptfan.engine.progress import choose_progress

    make_folder(output)
    video, sheet = output / "bikes.mp4", output / "before-after.png"
    with stop_on_signals() as stop:
        report = inpaint(
            DEMO_CLIP,
            video,
            mask=DEMO_MASK,
            model=model,
            settings=read_settings(backend=backend, device=device, threads=threads),
            overwrite=True,
            progress=choose_progress(quiet=quiet),
            stop=stop,
            warn=say_warning,
        )
    with open_mask(DEMO_MASK) as masks:
        write_atomically(sheet, encode_png(before_after(DEMO_CLIP, masks, video)))
    if not quiet:
        say(report.summary)
        say(f"{sheet}: before and after, side by side")
