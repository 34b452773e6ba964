"""From a video, a mask and a name for the result to an inpainted video: the one call that does it all."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from ptfan.engine.errors import InterruptedRunError
from ptfan.engine.frame import Box
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.keeping import keeping
from ptfan.engine.masks.reader import AnyMask
from ptfan.engine.masks.source import MaskSource, mask_file, mask_settings, open_mask
from ptfan.engine.media import Encoding, StreamInfo, open_sink, open_source
from ptfan.engine.model_record import model_record
from ptfan.engine.models import DEFAULT_MODEL
from ptfan.engine.notices import Notices, Warn, log_warning
from ptfan.engine.progress import NoProgress, Progress, running
from ptfan.engine.report import Report
from ptfan.engine.roles import Role, check_apart, output_roles
from ptfan.engine.stages import CopyThrough, Room, Stages
from ptfan.engine.versions import versions

__all__ = ["inpaint"]


def inpaint(
    source: str | Path,
    output: str | Path,
    *,
    mask: AnyMask | None = None,
    boxes: Sequence[Box] = (),
    text: Sequence[Box] = (),
    object_id: int | None = None,
    dilate: int = 0,
    start: float | Fraction | None = None,
    end: float | Fraction | None = None,
    rate: float | Fraction | str | None = None,
    model: str | Path = DEFAULT_MODEL,
    settings: InpaintSettings | None = None,
    hwaccel: str | None = None,
    encoding: Encoding | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    warn: Warn = log_warning,
) -> Report:
    """Fill the holes of a video and write the result.

    Decoding, flow, network and encoding overlap in threads; memory does not grow with the length of the video. The
    result is written beside its name and moved into place when it is complete. When the run is stopped, or the source,
    the mask or the network fails, what is done is kept as `NAME.partial.EXT`, and the error says so.

    Args:
        source: Video, folder of images or `-` for Y4M on standard input.
        output: Video, folder for PNG files or `-` for Y4M on standard output.
        mask: One image for all frames, a folder of images, a video, or an array (H, W) of bool for all frames; see
            `open_mask`.
        boxes: Rectangles that are hole in every frame, pixels of the frame as displayed.
        text: Rectangles in which captions and subtitles are looked for in every frame; the text alone is hole.
        object_id: Of a mask with a palette or lossless grey values, take only this index or value.
        dilate: Grow the hole by this many pixels.
        start: Seconds from the beginning of the first frame that is wanted.
        end: Seconds from the beginning where to stop, that moment excluded.
        rate: Frames a second of a folder of images, such as 30 or `24000/1001`; 25 without it. All else has its own.
        model: Name of a model that comes with the package, or a path.
        settings: How the network is fed.
        hwaccel: A device that is to decode the video, as FFmpeg calls it: `cuda`, or `cuda:1`.
        encoding: How a video is encoded; as suits the container without it.
        overwrite: Whether an existing output may be replaced.
        progress: Is told of every frame.
        stop: Set it from anywhere to end the run early; what is done is kept as `NAME.partial.EXT`.
        warn: Takes a line about what was changed or left out; the log without it.

    Returns:
        What was done.

    Raises:
        InputError: source, mask, model or an option cannot be used, or the output would take the place of one of them.
        OutputError: the output cannot be written, or exists.
        InterruptedRunError: `stop` was set, or Ctrl-C pressed, before the end.
    """
    begin = time.perf_counter()
    settings, encoding = settings or InpaintSettings(), encoding or Encoding()
    progress, told = NoProgress() if progress is None else progress, Notices(warn)
    check_apart(output_roles(output), [Role("input", source), Role("mask", mask_file(mask))])
    with ExitStack() as opened:
        pictures = opened.enter_context(open_source(source, start, end, rate=rate, hwaccel=hwaccel, warn=told))
        masks = opened.enter_context(
            open_mask(mask, boxes, text=text, object_id=object_id, dilate=dilate, info=pictures.info, warn=told)
        )
        inpainter = None
        if _has_holes(masks, pictures.info, told):
            inpainter = opened.enter_context(Inpainter(model, settings=settings))
        described = None if inpainter is None else model_record(inpainter)  # before its file may be replaced by another
        sink = opened.enter_context(open_sink(output, pictures, encoding, overwrite=overwrite, warn=told))
        room = Room.of(pictures.info.width, pictures.info.height)
        stages: Stages[Any] = Stages(pictures, masks, inpainter or CopyThrough(), sink, progress.advance, room=room)
        with keeping(sink, stages, told):
            _run(stages, pictures.info, progress, stop)
        stages.close()
        if stages.holes == 0 and inpainter is not None:
            told(f"mask {masks.name}: no pixels in any frame are masked; nothing was replaced")
    seconds = time.perf_counter() - begin
    asked: dict[str, Any] = {
        **mask_settings(mask, boxes, text, object_id=object_id, dilate=dilate),
        "start": None if start is None else float(start), "end": None if end is None else float(end),
        "rate": None if rate is None else str(rate),
        "hwaccel": hwaccel, "encoding": encoding.to_dict(),
    }  # fmt: skip
    return Report(
        input=str(source),
        output=str(output),
        frames=stages.frames,
        inpainted=stages.holes,
        seconds=seconds,
        fps=stages.frames / seconds,
        stages=dict(stages.busy),
        settings={**asked, **asdict(settings)},
        model=described,
        backend=None if inpainter is None else inpainter.runner.backend,
        versions=versions(),
        warnings=told.lines,
    )


def _has_holes(masks: MaskSource, info: StreamInfo, tell: Warn) -> bool:
    """Check what can be checked of the mask before the work; tell whether a frame may have a hole."""
    masks.check_length(info.frames, first=info.first, whole=info.span.end is None)
    if not masks.still or masks.at(info.first, info.width, info.height).any():
        return True
    tell(f"mask {masks.name}: no pixels are masked; nothing is replaced")
    return False


def _run(stages: Stages[Any], info: StreamInfo, progress: Progress, stop: threading.Event | None) -> None:
    with running(progress, Path(info.name).name, info.frames):
        complete = stages.run(stop)
    if not complete:
        raise InterruptedRunError("stopped")
