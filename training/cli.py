"""The sub-commands of training: import-tsam, and those of other modules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ptfan.engine.commands.panels import MODELS
from ptfan.training.ablation import cli as ablation_cli
from ptfan.training.colour_completion import cli as colour_completion_cli
from ptfan.training.data.flow import cli as flow_cli
from ptfan.training.evaluation import cli as evaluation_cli
from ptfan.training.flow_completion import cli as flow_completion_cli
from ptfan.training.generator import cli as generator_cli
from ptfan.training.text_finding import cli as text_finding_cli

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the sub-commands to the application; torch is imported only when one of them runs."""
    generator_cli.register(app)
    evaluation_cli.register(app)
    ablation_cli.register(app)
    flow_cli.register(app)
    flow_completion_cli.register(app)
    colour_completion_cli.register(app)
    text_finding_cli.register(app)
    app.command("import-tsam", rich_help_panel=MODELS)(_import)


def _import(
    source: Annotated[Path, typer.Argument(help="The published checkpoint (.pth).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The checkpoint to write (.safetensors).")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
) -> None:
    """Make a checkpoint of the weights that the method's authors published.

    Example: `ptfan import-tsam TSAM.pth -o r50.safetensors`
    """
    from ptfan.training.import_tsam import import_tsam

    import_tsam(source, output, overwrite=overwrite)
    typer.echo(f"wrote {output}")
