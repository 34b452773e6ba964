"""`ptfan inpaint`: fill the holes of videos."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ptfan.engine.commands.messages import say, say_error, say_warning
from ptfan.engine.commands.options import (
    MASK_PANEL,
    OUTPUT_PANEL,
    BackendOption,
    BoxOption,
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
    QuietOption,
    SizeOption,
    StrideOption,
    ThreadsOption,
    WindowOption,
    parse_box,
    read_settings,
)
from ptfan.engine.errors import InputError, InterruptedRunError, PtfanError

if TYPE_CHECKING:
    from ptfan.engine.report import Report

__all__ = ["inpaint_command", "register"]

EPILOG = """
**Examples**

    # A logo that stands still, drawn once as a white shape on black
    ptfan inpaint clip.mp4 --mask logo.png -o clean.mp4

    # A rectangle, and only the part from 0:30 to 1:00
    ptfan inpaint clip.mp4 --box 1600,40,280,120 --start 30 --end 1:00 -o part.mp4

    # A mask for every frame; frames out as PNG
    ptfan inpaint frames/ --mask masks/ --dilate 4 -o result/

    # Several videos with the same logo, into one folder
    ptfan inpaint a.mp4 b.mp4 --mask logo.png -o clean/

    # In a pipe of Y4M
    ffmpeg -i a.mkv -f yuv4mpegpipe - | ptfan inpaint - --mask m.png -o - | mpv -
"""

Job = tuple[str, str]
"""An input and its output, as `inpaint` takes them."""


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("inpaint", epilog=EPILOG)(inpaint_command)


def inpaint_command(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Video, folder of images, or - for Y4M from a pipe.")
    ],
    *,
    mask: MaskOption = None,
    box: BoxOption = None,
    object_id: ObjectIdOption = None,
    dilate: DilateOption = 0,
    start: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--start", metavar="TIME", help="Begin there: seconds or HH:MM:SS.", rich_help_panel=MASK_PANEL),
    ] = None,
    end: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--end", metavar="TIME", help="Stop there: seconds or HH:MM:SS.", rich_help_panel=MASK_PANEL),
    ] = None,
    rate: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--rate",
            metavar="FPS",
            help="Frames a second of a folder of images: a number, or a fraction such as 24000/1001.",
            show_default="25",
            rich_help_panel=MASK_PANEL,
        ),
    ] = None,
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
    codec: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--codec",
            metavar="NAME",
            help="FFmpeg's name of a video encoder.",
            show_default="what suits the file name",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    quality: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--quality",
            metavar="CRF",
            help="0 is lossless, 16 hard to tell from the source, 23 small.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    preset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--preset", metavar="NAME", help="Speed of the encoder, by its own names.", rich_help_panel=OUTPUT_PANEL
        ),
    ] = None,
    json: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--json",
            metavar="REPORT",
            help="Write what was done, and how fast, to this file.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
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
    """Fill what a mask covers: logos, people, things."""
    from ptfan.engine.folders import make_folder
    from ptfan.engine.pipeline import inpaint
    from ptfan.engine.progress import choose_progress
    from ptfan.engine.timecode import parse_time

    jobs = _plan_jobs(inputs, output)
    _check_names(jobs, mask, json)
    if len(jobs) > 1:
        make_folder(Path(output))
    _check_report(json, overwrite)
    run = partial(
        inpaint,
        mask=mask,
        boxes=[parse_box(text) for text in box or ()],
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
        codec=codec,
        quality=quality,
        preset=preset,
        overwrite=overwrite,
        progress=choose_progress(quiet=quiet),
        warn=say_warning,
    )
    reports: list[Report] = []
    try:
        failed = _run_all(run, jobs, reports, quiet=quiet)
    finally:  # Of several inputs, some are done when the run is stopped.
        _write_report(json, reports, as_list=len(jobs) > 1, overwrite=overwrite)
    if failed:
        raise typer.Exit(2)


def _plan_jobs(inputs: Sequence[str], output: str) -> list[Job]:
    """Name the output of every input; with several inputs, these lie in a folder.

    Raises:
        InputError: standard input or output is one of several, the output is no folder for several, or two of them
            would have the same name.
    """
    if len(inputs) == 1:
        return [(inputs[0], output)]
    if "-" in (*inputs, output):
        raise InputError("- stands for one pipe: it cannot be one of several inputs, nor take several outputs")
    folder = _results_folder(output)
    # A video keeps its file name; a folder of images becomes a folder of images.
    jobs = [(item, str(folder / Path(item).resolve().name)) for item in inputs]
    targets = [target for _, target in jobs]
    for target in targets:
        if targets.count(target) > 1:
            raise InputError(f"{target}: two inputs have this name; inpaint them one at a time")
    return jobs


def _results_folder(output: str) -> Path:
    """Return the folder for several results; a name that is a video's was meant for one."""
    from ptfan.engine.media.video_endings import has_video_ending

    folder = Path(output)
    if has_video_ending(folder) and not output.endswith("/") and not folder.is_dir():
        raise InputError(
            f"{output}: several inputs need a folder for their results; give {folder.with_suffix('')}/ for instance"
        )
    return folder


def _check_names(jobs: Sequence[Job], mask: Path | None, json: Path | None) -> None:
    """Check that no result and no report would take the place of an input, the mask or one another."""
    from ptfan.engine.roles import Role, check_apart, output_roles

    written = [role for _, target in jobs for role in output_roles(target)]
    check_apart([*written, Role("report", json)], [*(Role("input", item) for item, _ in jobs), Role("mask", mask)])


def _check_report(path: Path | None, overwrite: bool) -> None:
    if path is not None:
        from ptfan.engine.atomic import check_target

        check_target(path, overwrite=overwrite)


def _write_report(path: Path | None, reports: Sequence[Report], *, as_list: bool, overwrite: bool) -> None:
    if path is not None and reports:
        from ptfan.engine.report import write_reports

        write_reports(path, reports, as_list=as_list, overwrite=overwrite)


def _run_all(run: Callable[..., Report], jobs: Sequence[Job], reports: list[Report], *, quiet: bool) -> bool:
    """Do one job after the other, and add to the reports; of several, one that fails does not keep the others from it.

    Returns:
        Whether one has failed.

    Raises:
        InterruptedRunError: a signal came.
    """
    from ptfan.engine.interrupts import stop_on_signals

    failed = False
    with stop_on_signals() as stop:
        for number, job in enumerate(jobs):
            if stop.is_set():
                raise InterruptedRunError(f"stopped; {len(jobs) - number} of {len(jobs)} inputs were not begun")
            report = _run_one(run, job, stop, alone=len(jobs) == 1)
            failed |= report is None
            if report is not None:
                reports.append(report)
                if not quiet:
                    say(report.summary)
    return failed


def _run_one(run: Callable[..., Report], job: Job, stop: threading.Event, *, alone: bool) -> Report | None:
    try:
        return run(*job, stop=stop)
    except InterruptedRunError:
        raise
    except PtfanError as error:
        if alone:
            raise
        say_error(str(error))
        return None
