"""`ptfan train-text` and `ptfan eval-text`: the network that finds text which was laid over a video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ptfan.engine.commands.panels import MODELS
from ptfan.training.runs.options import add_trainer, option

if TYPE_CHECKING:
    from ptfan.training.text_finding.run import TextSubject

__all__ = ["register"]

TRAIN = """Train the network that finds captions and subtitles.

It learns from clips without text, on which captions are drawn with the fonts of this machine, or of a folder. The run's
folder is that of `ptfan train`; `ptfan export` makes the model of its checkpoint, and `ptfan eval-text` tells how good
that is.

Example: `ptfan train-text --data videos/ -o runs/text`
"""
CHANGES = {"fonts": option(Path, "Folder of fonts that captions are drawn with; without it those that are installed.")}


def register(app: typer.Typer) -> None:
    """Add the sub-commands to the application; torch is imported only when one of them runs."""
    config = "Settings: text, text-2 (further, from its checkpoint), or a JSON file."
    add_trainer(app, "train-text", _subject, usual="text", config=config, text=TRAIN, changes=CHANGES)
    app.command("eval-text", rich_help_panel=MODELS)(_evaluate_text)


def _subject() -> TextSubject:
    from ptfan.training.text_finding.run import TextSubject

    return TextSubject()


def _evaluate_text(
    data: Annotated[Path, typer.Option(help="Clips without text: a folder of videos, DAVIS, YouTube-VOS or FVI.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report.")],
    model: Annotated[
        Path | None, typer.Option(help="The ONNX file of a text network; the package's own without it.")
    ] = None,
    fonts: Annotated[Path | None, typer.Option(help="Folder of fonts; without it those that are installed.")] = None,
    captions: Annotated[int, typer.Option(min=1, help="Captions that are drawn on each clip.")] = 4,
    frames: Annotated[int, typer.Option(min=5, help="The most frames of a clip.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the captions.")] = 0,
) -> None:
    """Measure how well captions and subtitles are found.

    They are drawn on clips, with random letters, fonts and colours, and looked for as `ptfan inpaint --text` does.

    Example: `ptfan eval-text --data clips/ --model text.onnx -o report`
    """
    from ptfan.engine.models import TEXT_MODEL
    from ptfan.training.text_finding.evaluation import TextEvaluation, evaluate_text

    settings = TextEvaluation(
        data=data, fonts=fonts, model=model or TEXT_MODEL, captions=captions, frames=frames, seed=seed
    )
    typer.echo(evaluate_text(settings, output))
