"""Options that several sub-commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from ptfan.engine.runners.backends import BACKENDS
from ptfan.engine.spec import CompletionName

__all__ = [
    "BackendOption",
    "BoxOption",
    "CodecOption",
    "ColourCompletionOption",
    "DeviceOption",
    "DilateOption",
    "FlowCompletionOption",
    "HwaccelOption",
    "MaskOption",
    "ModelOption",
    "NoCropOption",
    "ObjectIdOption",
    "OverwriteOption",
    "PresetOption",
    "QualityOption",
    "QuietOption",
    "RateOption",
    "ReportOption",
    "SizeOption",
    "StrideOption",
    "TextOption",
    "ThreadsOption",
    "WindowOption",
]

MASK_PANEL = "What to replace"
NETWORK_PANEL = "Network"
OUTPUT_PANEL = "Output"

MaskOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--mask",
        "-m",
        metavar="MASK",
        help="White is what is replaced. One image for all frames, or a folder of images or a video with one for each; "
        "any size. PNG: every value but 0 is white (transparency by alpha, palettes by index); JPEG and video: "
        "brighter than 127.",
        rich_help_panel=MASK_PANEL,
    ),
]
BoxOption = Annotated[
    list[str] | None,
    typer.Option("--box", metavar="X,Y,W,H", help="Rectangle in pixels. Repeatable.", rich_help_panel=MASK_PANEL),
]
TextOption = Annotated[
    list[str] | None,
    typer.Option(
        "--text",
        metavar="X,Y,W,H",
        help="Rectangle in which captions and subtitles are found and replaced, the text alone. Repeatable.",
        rich_help_panel=MASK_PANEL,
    ),
]
ObjectIdOption = Annotated[
    int | None,
    typer.Option(
        "--object-id",
        metavar="N",
        help="Only this palette index or grey value of the mask.",
        rich_help_panel=MASK_PANEL,
    ),
]
DilateOption = Annotated[
    int,
    typer.Option(
        "--dilate",
        metavar="PX",
        help="Grow the mask by so many pixels; 2 takes the blurred edges of logos and text along.",
        rich_help_panel=MASK_PANEL,
    ),
]
HwaccelOption = Annotated[
    str | None,
    typer.Option(
        "--hwaccel",
        metavar="KIND[:DEVICE]",
        help="Decode on a device, as FFmpeg calls it: cuda, or cuda:1 for another GPU than the first.",
        show_default="on the CPU",
    ),
]
SizeOption = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="WxH|native",
        help="Working size of the network: larger regions are scaled down to as many pixels.",
        show_default="the model's own",
        rich_help_panel=NETWORK_PANEL,
    ),
]
NoCropOption = Annotated[
    bool,
    typer.Option(
        "--no-crop",
        help="Show the network whole frames, not only what lies round the mask.",
        rich_help_panel=NETWORK_PANEL,
    ),
]
WindowOption = Annotated[
    int | None,
    typer.Option(
        "--window",
        metavar="FRAMES",
        help="Frames that the network sees together.",
        show_default="the model's own",
        rich_help_panel=NETWORK_PANEL,
    ),
]
StrideOption = Annotated[
    int | None,
    typer.Option(
        "--stride",
        metavar="FRAMES",
        help="Frames from one window to the next.",
        show_default="the model's own",
        rich_help_panel=NETWORK_PANEL,
    ),
]
FlowCompletionOption = Annotated[
    str,
    typer.Option(
        "--flow-completion",
        metavar="|".join(get_args(CompletionName)),
        help="What decides on the motion inside the mask: a small network, or its surroundings alone (quicker).",
        rich_help_panel=NETWORK_PANEL,
    ),
]
ColourCompletionOption = Annotated[
    str,
    typer.Option(
        "--colour-completion",
        metavar="|".join(get_args(CompletionName)),
        help="What decides on the colours that no frame shows: a small network, or their surroundings alone (quicker).",
        rich_help_panel=NETWORK_PANEL,
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME|PATH",
        help="A model of the package (see `ptfan info`), an ONNX file, a plan of `ptfan build`, or, where torch is "
        "installed, a checkpoint.",
        rich_help_panel=NETWORK_PANEL,
    ),
]
BackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar="|".join(("auto", *BACKENDS)),
        help="What runs the network. auto takes the first that can run here (see `ptfan info`) but never openvino; on "
        "a CPU it takes a model's int8 file where that is faster.",
        rich_help_panel=NETWORK_PANEL,
    ),
]
DeviceOption = Annotated[
    int,
    typer.Option("--device", metavar="N", help="Number of the GPU, where one is used.", rich_help_panel=NETWORK_PANEL),
]
ThreadsOption = Annotated[
    int,
    typer.Option(
        "--threads",
        metavar="N",
        help="Threads of the network; 0: one a core, half as many for int8.",
        rich_help_panel=NETWORK_PANEL,
    ),
]
CodecOption = Annotated[
    str | None,
    typer.Option(
        "--codec",
        metavar="NAME",
        help="Video encoder, by FFmpeg's name for it.",
        show_default="what suits the output",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset", metavar="NAME", help="Speed of the encoder, by its own name for it.", rich_help_panel=OUTPUT_PANEL
    ),
]
QualityOption = Annotated[
    int | None,
    typer.Option(
        "--quality",
        metavar="CRF",
        help="0 is lossless, 16 hard to tell from the source, 23 small.",
        show_default="16, over a network 23",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
RateOption = Annotated[
    str | None,
    typer.Option(
        "--rate",
        metavar="FPS",
        help="Frames a second of a folder of images: a number, or a fraction such as 24000/1001.",
        show_default="25",
        rich_help_panel=MASK_PANEL,
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="REPORT",
        help="Write what was done, and how fast, to this file.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace an output that exists.", rich_help_panel=OUTPUT_PANEL)
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")]
