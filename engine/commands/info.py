"""`ptfan info`: what is here and what would be used."""

from __future__ import annotations

import json as json_format
from typing import Annotated

import typer

from ptfan.engine.commands.options import ModelOption
from ptfan.engine.commands.panels import MACHINE

__all__ = ["info_command", "register"]

EPILOG = """
**Examples**

    ptfan info
    ptfan info --model mine.onnx --json
"""


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("info", epilog=EPILOG, rich_help_panel=MACHINE)(info_command)


def info_command(
    model: ModelOption = "s",
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show versions, backends, GPUs and models, and what would be used and why."""
    from ptfan.engine.info import collect_info, format_info

    info = collect_info(model)
    print(json_format.dumps(info, indent=2) if json else format_info(info))
