"""`ptfan bench`: latency and throughput, with their spread and beside a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ptfan.engine.commands.options import NoCropOption, QuietOption
from ptfan.engine.commands.panels import MACHINE
from ptfan.engine.runners.backends import BACKENDS

__all__ = ["bench_command", "register"]

EPILOG = """
**Examples**

    ptfan bench                                                       # s, and the same network in windows
    ptfan bench --model s --model s-window --size 432x240 --size 1280x720 -o bench/
    ptfan bench --model training/checkpoints/s.safetensors --model s   # the first one, torch here, is the baseline
    ptfan bench --model s --streams 1 --streams 4                     # streams that share a batch
    ptfan bench --backend onnxruntime                                 # both in fp32, where s would be int8
    ptfan bench --model s-live --backend onnxruntime --backend onnxruntime-cuda
    ptfan bench --rounds 1 --video-size 1280x720 --video-size 1920x1080 # whole videos of larger frames
    ptfan bench --length 15 --length 60 --length 240 -o bench/ --plots # what a frame costs in longer and longer clips
"""


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("bench", epilog=EPILOG, rich_help_panel=MACHINE)(bench_command)


def bench_command(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model or checkpoint; repeatable. The first one is the baseline.", show_default="s, s-window"
        ),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="WxH", help="Size of the frames, multiples of 8; repeatable.", show_default="432x240"),
    ] = None,
    streams: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Streams in a batch, for step models; repeatable.", show_default="1"),
    ] = None,
    window: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Frames in a window, for clip models; repeatable.", show_default="the model's own"),
    ] = None,
    length: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Run clips of so many frames as well; repeatable.", show_default="none"),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Timed calls of each network, in turn.")] = 30,
    clip: Annotated[
        Path | None,
        typer.Option(help="Video for whole runs.", show_default="the demo's"),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(help="The mask of that video.", show_default="the demo's"),
    ] = None,
    video_size: Annotated[
        list[str] | None,
        typer.Option(metavar="WxH", help="Scale that video to this size; repeatable.", show_default="as it is"),
    ] = None,
    repeat: Annotated[
        int | None,
        typer.Option(
            min=1, help="Play that video so many times in a run.", show_default="5 for the demo's, 1 for others"
        ),
    ] = None,
    runs: Annotated[int, typer.Option(min=0, help="Whole runs of each model, in turn; 0 leaves them out.")] = 3,
    backend: Annotated[
        list[str] | None,
        typer.Option(metavar="|".join(("auto", *BACKENDS)), help="What runs them; repeatable.", show_default="auto"),
    ] = None,
    device: Annotated[int, typer.Option(min=0, metavar="N", help="Number of the GPU, where one is used.")] = 0,
    threads: Annotated[
        int, typer.Option(min=0, help="Threads inside the network; 0: one a core, half as many for int8.")
    ] = 0,
    no_crop: NoCropOption = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Gets tables as Markdown, JSON and CSV."),
    ] = None,
    plots: Annotated[
        bool, typer.Option("--plots", help="Draw them as PNG, too; needs `pip install 'ptfan[plots]'`.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Measure how fast models are on this machine: the network alone, and whole videos from file to file.

    Every network is called once before the first is called again, so that whatever else the machine does hits all
    alike; ratios are to be trusted more than milliseconds. A row is marked where its calls differ much.
    """
    from ptfan.engine.bench.run import BenchSettings, run_bench
    from ptfan.engine.commands.values import check_clip_and_mask, parse_pixels, read_backend
    from ptfan.engine.errors import InputError

    check_clip_and_mask("whole runs need", clip, mask)
    if plots and output is None:
        raise InputError("--plots needs a folder to draw into; name it with --output")
    settings = BenchSettings(
        models=tuple(model or ("s", "s-window")),
        sizes=tuple(parse_pixels(text) for text in size or ["432x240"]),
        streams=tuple(streams or (1,)),
        windows=tuple(window or (None,)),
        lengths=tuple(length or ()),
        rounds=rounds,
        clip=clip,
        mask=mask,
        video_sizes=tuple(parse_pixels(text) for text in video_size or ()) or (None,),
        repeat=repeat,
        runs=runs,
        backends=tuple(read_backend(name) for name in backend or ["auto"]),
        gpu=device,
        threads=threads,
        crop=not no_crop,
        plots=plots,
    )
    typer.echo(run_bench(settings, output, quiet=quiet), nl=False)
