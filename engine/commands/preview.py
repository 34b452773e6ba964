"""`ptfan preview`: look at the mask before a long run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from ptfan.engine.commands.messages import say, say_warning
from ptfan.engine.commands.options import (
    BoxOption,
    DilateOption,
    MaskOption,
    ModelOption,
    NoCropOption,
    ObjectIdOption,
    OverwriteOption,
    QuietOption,
    RateOption,
    SizeOption,
    TextOption,
)
from ptfan.engine.commands.panels import CLEAN
from ptfan.engine.commands.values import read_boxes, read_mask, read_settings

if TYPE_CHECKING:
    from ptfan.engine.preview import Preview

__all__ = ["preview_command", "register"]

EPILOG = """
**Examples**

    # A grid of coordinates, to find a --box or a place for --text by
    ptfan preview clip.mp4 -o grid.png

    # What a mask covers
    ptfan preview clip.mp4 --mask logo.png --dilate 4 --at 0:12 -o look.png

    # Which letters are found in the lower part of the picture
    ptfan preview clip.mp4 --text 0,560,1280,140 --at 0:12 -o letters.png
"""


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("preview", epilog=EPILOG, rich_help_panel=CLEAN)(preview_command)


def preview_command(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Video, folder of images, or - for Y4M from a pipe.")],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="PICTURE", help="NAME.png, NAME.jpg, or - for PNG into a pipe.")
    ],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="Which moment: seconds or HH:MM:SS.")] = "0",
    mask: MaskOption = None,
    box: BoxOption = None,
    text: TextOption = None,
    object_id: ObjectIdOption = None,
    dilate: DilateOption = 0,
    rate: RateOption = None,
    size: SizeOption = None,
    no_crop: NoCropOption = False,
    model: ModelOption = "s",
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Look before a long run: one frame with the mask tinted, or without a mask with a grid of coordinates.

    Frames show the regions that the network sees.
    """
    from ptfan.engine.commands.side_file import SideFile
    from ptfan.engine.pictures.picture import check_picture_name, encode_picture
    from ptfan.engine.preview import preview
    from ptfan.engine.roles import Role, check_apart
    from ptfan.engine.standard_output import standard_output
    from ptfan.engine.timecode import parse_time

    mask_path = read_mask(mask)
    check_apart([Role("picture", output)], [Role("input", source), Role("mask", mask_path)])
    check_picture_name(output)
    picture_file = SideFile(None if output == "-" else Path(output), overwrite)
    pipe = standard_output() if output == "-" else None
    result = preview(
        source,
        parse_time(at),
        mask=mask_path,
        boxes=read_boxes(box),
        text=read_boxes(text, "text"),
        object_id=object_id,
        dilate=dilate,
        rate=rate,
        model=model,
        settings=read_settings(size=size, no_crop=no_crop),
        warn=say_warning,
    )
    content = encode_picture(result.picture, output)
    picture_file.write(content)
    if pipe is not None:
        _send(content, pipe)
    if not quiet:
        named = mask_path is not None or box or text
        found = _seen(result) if named else "with a grid; name what is to go by --box X,Y,W,H"
        say(f"{'standard output' if output == '-' else output}: frame {result.index}, {found}")


def _send(content: bytes, pipe: BinaryIO) -> None:
    from ptfan.engine.atomic import output_error

    try:
        pipe.write(content)
        pipe.flush()
    except OSError as error:
        raise output_error(Path("standard output"), error) from error


def _seen(result: Preview) -> str:
    crops = ", ".join(f"{crop.width}x{crop.height}" for crop in result.crops) or "nothing"
    return f"{100 * result.share:.1f} % to be filled, the network sees {crops}"
