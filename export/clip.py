"""A real clip as the runtime would feed it to a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Box, Frame
from ptfan.engine.inpainter import InpaintSettings, clips_settings
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import Source, open_source
from ptfan.engine.prepare.preparer import Preparer
from ptfan.engine.runners.runner import Arrays
from ptfan.engine.spec import ModelSpec

__all__ = ["clip_arrays"]


def clip_arrays(spec: ModelSpec, video: Path, mask: Path | None) -> Arrays:
    """Return a model's inputs for the first window of a video.

    Args:
        spec: how the model wants to be fed.
        video: anything that ptfan reads.
        mask: its hole; None cuts one into the middle.

    Raises:
        InputError: the video or the mask cannot be used, or the video is shorter than a fixed window.
    """
    # The parity of a window that spans two scenes counts as well.
    settings = clips_settings(spec, InpaintSettings(scene_cuts=False))
    preparer, window = Preparer(settings), settings.window
    with ExitStack() as stack:
        frames = list(islice(_frames(stack.enter_context(open_source(video)), mask, stack), window))
    if not frames or (spec.fixed_window and len(frames) < window):
        raise InputError(f"{video}: has {len(frames)} frames, comparing takes {window}; give a longer --clip")
    windows = [window for frame in frames for window in preparer.push(frame)] or preparer.flush()
    if not windows[0].crops:
        raise InputError(f"{mask}: has no hole in the first {len(frames)} frames; give another --mask")
    return windows[0].crops[0].arrays


def _frames(source: Source, mask: Path | None, stack: ExitStack) -> Iterator[Frame]:
    width, height = source.info.width, source.info.height
    middle = Box(3 * width // 8, 3 * height // 8, max(1, width // 4), max(1, height // 4))
    holes = stack.enter_context(open_mask(mask, () if mask else (middle,), info=source.info))
    for sample in source:
        yield Frame(sample.image, holes.hole_of(sample))
