"""`ptfan stream`: fill the holes of a live source."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from ptfan.engine.commands.messages import say, say_warning
from ptfan.engine.commands.options import (
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
    ReportOption,
    SizeOption,
    TextOption,
    ThreadsOption,
)
from ptfan.engine.commands.panels import CLEAN
from ptfan.engine.commands.values import read_boxes, read_mask, read_settings

__all__ = ["register", "stream_command"]

LIVE_PANEL = "Live"
EPILOG = """
**Examples**

    # A camera; look at it on http://127.0.0.1:8080/
    ptfan stream /dev/video0 --box 20,20,120,40 --page 8080

    # From one network to another; the mask may be replaced while it runs
    ptfan stream rtsp://camera/stream --mask logo.png --to rtmp://server/live/clean

    # MPEG-TS over UDP, figures as JSON when it ends
    ptfan stream udp://127.0.0.1:5000 --mask logo.png --to udp://127.0.0.1:6000 --json report.json

    # A file at its own speed, as HLS
    ptfan stream clip.mp4 --realtime --mask logo.png --to hls/live.m3u8

    # In a pipe of Y4M
    ffmpeg -i a.mkv -f yuv4mpegpipe - | ptfan stream - --mask m.png --to - | mpv -
"""


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("stream", epilog=EPILOG, rich_help_panel=CLEAN)(stream_command)


def stream_command(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="URL (rtsp, rtmp, udp, tcp, http ...), /dev/video0, file, or -.")
    ],
    *,
    mask: MaskOption = None,
    box: BoxOption = None,
    text: TextOption = None,
    object_id: ObjectIdOption = None,
    dilate: DilateOption = 0,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="SINK",
            help="URL (udp, tcp, rtmp, rtsp), NAME.m3u8 for HLS, video file, folder for PNG files, or - for Y4M.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    page: Annotated[
        str | None,
        typer.Option(
            "--page",
            metavar="[HOST:]PORT",
            help="Serve a page with the picture before and after, /metrics and /health; without HOST for this machine "
            "alone.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    codec: CodecOption = None,
    quality: QualityOption = None,
    preset: PresetOption = None,
    output_option: Annotated[
        list[str] | None,
        typer.Option(
            "--output-option",
            metavar="KEY=VALUE",
            help="An option of FFmpeg's, of the format or the encoder, for networks and HLS. Repeatable. Those of a "
            "protocol stand in the address: udp://HOST:PORT?pkt_size=1316.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    json: ReportOption = None,
    overwrite: OverwriteOption = False,
    realtime: Annotated[
        bool | None,
        typer.Option(
            "--realtime/--lossless",
            help="Drop frames for which there is no time, so that the newest goes out; or drop none, and let the "
            "source wait if it can.",
            show_default="realtime for cameras and networks",
            rich_help_panel=LIVE_PANEL,
        ),
    ] = None,
    while_lost: Annotated[
        str,
        typer.Option(
            metavar="last|slate|nothing",
            help="What goes out while the source is lost: its last frame, a slate, or nothing.",
            rich_help_panel=LIVE_PANEL,
        ),
    ] = "last",
    reconnect: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="How long to look for a source that is lost, or not there yet.",
            show_default="for ever",
            rich_help_panel=LIVE_PANEL,
        ),
    ] = None,
    patience: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            help="How long without a frame before the source counts as lost.",
            rich_help_panel=LIVE_PANEL,
        ),
    ] = 5.0,
    raw: Annotated[
        str | None,
        typer.Option(
            metavar="WxH:FORMAT@RATE",
            help="Standard input brings raw frames, for instance 640x480:yuv420p@25.",
            show_default="Y4M",
            rich_help_panel=LIVE_PANEL,
        ),
    ] = None,
    input_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="An option of FFmpeg's for the source. Repeatable.", rich_help_panel=LIVE_PANEL
        ),
    ] = None,
    size: SizeOption = None,
    no_crop: NoCropOption = False,
    flow_completion: FlowCompletionOption = "learned",
    colour_completion: ColourCompletionOption = "learned",
    model: ModelOption = "s-live",
    backend: BackendOption = "auto",
    device: DeviceOption = 0,
    hwaccel: HwaccelOption = None,
    threads: ThreadsOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Fill what a mask covers in a live stream: cameras, networks, pipes."""
    from ptfan.engine.commands.side_file import SideFile
    from ptfan.engine.errors import InputError, OutputError
    from ptfan.engine.interrupts import stop_on_signals
    from ptfan.engine.live.address import parse_options
    from ptfan.engine.live.feed import FeedOptions
    from ptfan.engine.live.live_source import WhileLost
    from ptfan.engine.live.page import parse_place
    from ptfan.engine.live.settings import LiveSettings
    from ptfan.engine.live.stream import stream
    from ptfan.engine.media import Encoding
    from ptfan.engine.roles import Role, check_apart
    from ptfan.engine.run_report import reports_json

    mask_path = read_mask(mask)
    check_apart([Role("output", to), Role("report", json)], [Role("input", source), Role("mask", mask_path)])
    report_file = SideFile(json, overwrite)
    live = LiveSettings(
        realtime=realtime,
        reconnect=reconnect,
        while_lost=cast("WhileLost", while_lost),
        feed=FeedOptions(raw=raw, options=parse_options(input_option or []), patience=patience, hwaccel=hwaccel),
        page=None if page is None else parse_place(page),
    )
    encoding = Encoding(
        codec=codec,
        quality=quality,
        preset=preset,
        options=parse_options(output_option or []),
    )
    with stop_on_signals() as stop:
        report = stream(
            source,
            to,
            mask=mask_path,
            boxes=read_boxes(box),
            text=read_boxes(text, "text"),
            object_id=object_id,
            dilate=dilate,
            model=model,
            settings=read_settings(
                size=size,
                no_crop=no_crop,
                flow_completion=flow_completion,
                colour_completion=colour_completion,
                backend=backend,
                device=device,
                threads=threads,
            ),
            live=live,
            encoding=encoding,
            overwrite=overwrite,
            stop=stop,
            warn=say_warning,
            status=None if quiet else say,
        )
    report_file.write(reports_json([report], as_list=False))
    if not quiet:
        say(report.summary)
    if report.broken is not None:
        raise OutputError(report.broken)
    if report.gave_up is not None:
        raise InputError(f"{report.gave_up}; given up, what was written is whole")
