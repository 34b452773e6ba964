"""Options that several sub-commands share, and the reading of their values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional, cast, get_args

import typer

from ptfan.engine.errors import InputError
from ptfan.engine.runners.backends import BACKENDS, Backend
from ptfan.engine.spec import CompletionName

if TYPE_CHECKING:
    from ptfan.engine.frame import Box
    from ptfan.engine.inpainter import InpaintSettings

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
    "ThreadsOption",
    "WindowOption",
    "check_clip_and_mask",
    "parse_box",
    "parse_pixels",
    "parse_size",
    "read_backend",
    "read_mask",
    "read_settings",
]

MASK_PANEL = "What to replace"
NETWORK_PANEL = "Network"
OUTPUT_PANEL = "Output"

MaskOption = Annotated[
    Optional[list[Path]],  # noqa: UP045 - evaluated at run time, also by older releases of the library
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
    Optional[list[str]],  # noqa: UP045
    typer.Option("--box", metavar="X,Y,W,H", help="Rectangle in pixels. Repeatable.", rich_help_panel=MASK_PANEL),
]
ObjectIdOption = Annotated[
    Optional[int],  # noqa: UP045
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
    Optional[str],  # noqa: UP045
    typer.Option(
        "--hwaccel",
        metavar="KIND[:DEVICE]",
        help="Decode on a device, as FFmpeg calls it: cuda, or cuda:1 for another GPU than the first.",
        show_default="on the CPU",
    ),
]
SizeOption = Annotated[
    Optional[str],  # noqa: UP045
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
    Optional[int],  # noqa: UP045
    typer.Option(
        "--window",
        metavar="FRAMES",
        help="Frames that the network sees together.",
        show_default="the model's own",
        rich_help_panel=NETWORK_PANEL,
    ),
]
StrideOption = Annotated[
    Optional[int],  # noqa: UP045
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
    Optional[str],  # noqa: UP045
    typer.Option(
        "--codec",
        metavar="NAME",
        help="Video encoder, by FFmpeg's name for it.",
        show_default="what suits the output",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
PresetOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--preset", metavar="NAME", help="Speed of the encoder, by its own name for it.", rich_help_panel=OUTPUT_PANEL
    ),
]
QualityOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--quality",
        metavar="CRF",
        help="0 is lossless, 16 hard to tell from the source, 23 small.",
        show_default="16, over a network 23",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
RateOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--rate",
        metavar="FPS",
        help="Frames a second of a folder of images: a number, or a fraction such as 24000/1001.",
        show_default="25",
        rich_help_panel=MASK_PANEL,
    ),
]
ReportOption = Annotated[
    Optional[Path],  # noqa: UP045
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


def read_mask(masks: list[Path] | None) -> Path | None:
    """Return the only mask; a second one is not silently taken in place of the first.

    Raises:
        InputError: there are several.
    """
    if masks is not None and len(masks) > 1:
        raise InputError(f"mask is given {len(masks)} times ({', '.join(map(str, masks))}); paint all into one picture")
    return masks[0] if masks else None


def parse_box(text: str) -> Box:
    """Read `X,Y,W,H`, whole pixels of the frame as displayed.

    Raises:
        InputError: the text is something else, or the box has no pixels.
    """
    from ptfan.engine.frame import Box

    if not re.fullmatch(r"\s*(-?\d+\s*,\s*){2}\d+\s*,\s*\d+\s*", text):
        raise InputError(f"box {text!r}: expected X,Y,W,H in whole pixels, for instance 40,30,200,80")
    box = Box(*(int(part) for part in text.split(",")))
    if box.width == 0 or box.height == 0:
        raise InputError(f"box {text}: no pixels in it; width and height must be 1 or more")
    return box


def parse_size(text: str | None) -> tuple[int, int] | Literal["native"] | None:
    """Read `WxH` or `native`.

    Raises:
        InputError: the text is something else.
    """
    if text is None or text == "native":
        return cast("Literal['native'] | None", text)
    match = re.fullmatch(r"(\d+)[xX](\d+)", text)
    if match is None:
        raise InputError(f"size {text!r}: expected WxH or native, for instance 432x240")
    return int(match[1]), int(match[2])


def parse_pixels(text: str) -> tuple[int, int]:
    """Read `WxH` where `native` would mean nothing.

    Raises:
        InputError: the text is something else.
    """
    size = parse_size(text)
    if not isinstance(size, tuple):
        raise InputError("size is native, expected WxH, for instance 432x240")
    return size


def check_clip_and_mask(what: str, clip: str | Path | None, mask: Path | None) -> None:
    """Check that a clip comes with its mask, or neither does: then the demo's are taken.

    Args:
        what: who needs both, and the verb: how the error begins.
        clip: a video, as `--clip` names it.
        mask: its hole, as `--mask` does.

    Raises:
        InputError: only one of them is given.
    """
    if (clip is None) != (mask is None):
        raise InputError(f"{what} both --clip and --mask, or neither for the demo's")


def read_backend(text: str) -> Backend:
    """Read the name of a backend.

    Raises:
        InputError: there is none of that name.
    """
    if text not in ("auto", *BACKENDS):
        raise InputError(f"backend {text!r}: expected one of auto, {', '.join(BACKENDS)}")
    return cast("Backend", text)


def read_settings(
    *,
    size: str | None = None,
    no_crop: bool = False,
    window: int | None = None,
    stride: int | None = None,
    flow_completion: str = "learned",
    colour_completion: str = "learned",
    backend: str = "auto",
    device: int = 0,
    threads: int = 0,
) -> InpaintSettings:
    """Make settings of the options' values.

    Raises:
        InputError: a value is out of range.
    """
    from ptfan.engine.inpainter import InpaintSettings

    return InpaintSettings(
        size=parse_size(size),
        crop=not no_crop,
        window=window,
        stride=stride,
        flow_completion=cast("CompletionName", flow_completion),
        colour_completion=cast("CompletionName", colour_completion),
        backend=read_backend(backend),
        gpu=device,
        threads=threads,
    )
