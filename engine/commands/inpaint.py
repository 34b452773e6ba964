"""`ptfan inpaint`: fill the holes of videos."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ptfan.engine.commands.batch import check_names, plan_jobs, run_jobs
from ptfan.engine.commands.messages import say_warning
from ptfan.engine.commands.options import (
    MASK_PANEL,
    OUTPUT_PANEL,
    BackendOption,
    BoxOption,
    CodecOption,
    ColourCompletionOption,
    DeviceOption,
    DilateOption,
    FlowCompletionOption,
    HwaccelOption,
    MaskOption,
    ModelOption,
    NoCropOption,
    ObjectIdOption,
    OverwriteOption,
    PresetOption,
    QualityOption,
    QuietOption,
    RateOption,
    ReportOption,
    SizeOption,
    StrideOption,
    TextOption,
    ThreadsOption,
    WindowOption,
)
from ptfan.engine.commands.panels import CLEAN
from ptfan.engine.commands.values import read_boxes, read_mask, read_settings

__all__ = ["inpaint_command", "register"]

EPILOG = """
**Examples**

    # A logo that stands still, drawn once as a white shape on black
    ptfan inpaint clip.mp4 --mask logo.png -o clean.mp4

    # A rectangle, and only the part from 0:30 to 1:00
    ptfan inpaint clip.mp4 --box 1600,40,280,120 --start 30 --end 1:00 -o part.mp4

    # Subtitles, wherever they stand in the lower part of a picture of 1280x720
    ptfan inpaint clip.mp4 --text 0,560,1280,140 -o clean.mp4

    # A mask for every frame; frames out as PNG
    ptfan inpaint frames/ --mask masks/ --dilate 4 -o result/

    # Several videos with the same logo, into one folder
    ptfan inpaint a.mp4 b.mp4 --mask logo.png -o clean/

    # In a pipe of Y4M
    ffmpeg -i a.mkv -f yuv4mpegpipe - | ptfan inpaint - --mask m.png -o - | mpv -
"""


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("inpaint", epilog=EPILOG, rich_help_panel=CLEAN)(inpaint_command)


def inpaint_command(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Video, folder of images, or - for Y4M from a pipe.")
    ],
    *,
    mask: MaskOption = None,
    box: BoxOption = None,
    text: TextOption = None,
    object_id: ObjectIdOption = None,
    dilate: DilateOption = 0,
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="TIME", help="Begin there: seconds or HH:MM:SS.", rich_help_panel=MASK_PANEL),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--end", metavar="TIME", help="Stop there: seconds or HH:MM:SS.", rich_help_panel=MASK_PANEL),
    ] = None,
    rate: RateOption = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="OUTPUT",
            help="Video, folder for PNG files, or - for Y4M. With several inputs: a folder for the results.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ],
    codec: CodecOption = None,
    quality: QualityOption = None,
    preset: PresetOption = None,
    json: ReportOption = None,
    overwrite: OverwriteOption = False,
    size: SizeOption = None,
    no_crop: NoCropOption = False,
    window: WindowOption = None,
    stride: StrideOption = None,
    flow_completion: FlowCompletionOption = "learned",
    colour_completion: ColourCompletionOption = "learned",
    model: ModelOption = "s",
    backend: BackendOption = "auto",
    device: DeviceOption = 0,
    hwaccel: HwaccelOption = None,
    threads: ThreadsOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Fill what a mask covers in videos: logos, people, things."""
    from ptfan.engine.commands.side_file import SideFile
    from ptfan.engine.folders import make_folder
    from ptfan.engine.media import Encoding
    from ptfan.engine.pipeline import inpaint
    from ptfan.engine.progress import choose_progress
    from ptfan.engine.report import Report
    from ptfan.engine.run_report import reports_json
    from ptfan.engine.timecode import parse_time

    jobs = plan_jobs(inputs, output)
    mask_path = read_mask(mask)
    check_names(jobs, mask_path, json)
    run = partial(
        inpaint,
        mask=mask_path,
        boxes=read_boxes(box),
        text=read_boxes(text, "text"),
        object_id=object_id,
        dilate=dilate,
        start=None if start is None else parse_time(start),
        end=None if end is None else parse_time(end),
        rate=rate,
        model=model,
        settings=read_settings(
            size=size,
            no_crop=no_crop,
            window=window,
            stride=stride,
            flow_completion=flow_completion,
            colour_completion=colour_completion,
            backend=backend,
            device=device,
            threads=threads,
        ),
        hwaccel=hwaccel,
        encoding=Encoding(codec=codec, quality=quality, preset=preset),
        overwrite=overwrite,
        progress=choose_progress(quiet=quiet),
        warn=say_warning,
    )
    if len(jobs) > 1:
        make_folder(Path(output))  # once nothing is wrong with the options
    report_file = SideFile(json, overwrite)  # it may lie in there
    reports: list[Report] = []
    try:
        done = run_jobs(run, jobs, reports, quiet=quiet)
    finally:  # Of several inputs, some are done when the run is stopped.
        if reports:
            report_file.write(reports_json(reports, as_list=len(jobs) > 1))
    if not done:
        raise typer.Exit(2)
