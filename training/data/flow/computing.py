"""The flow of a whole dataset's complete frames, computed once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, InterruptedRunError
from ptfan.engine.folders import make_folder
from ptfan.engine.prepare.flow import DisFlow, guide_image, judged
from ptfan.engine.progress import Progress, running
from ptfan.training.data.clip_cache import with_cuts
from ptfan.training.data.clips import Clip
from ptfan.training.data.datasets import ClipSet
from ptfan.training.data.flow.cache import FlowCache, FlowInfo, encode_pair
from ptfan.training.data.pixels import Pixels, to_floats

__all__ = ["METHODS", "FlowMethod", "choose_method", "compute_flow"]

METHODS = ("dis", "raft", "files")
"""Dense inverse search as the runtime has it; RAFT through torchvision; `.flo` files of the dataset."""
Flow = NDArray[np.float32]
BothWays = Callable[[Clip, int, Pixels, Pixels], tuple[Flow, Flow]]
"""From a clip, the number of a frame, that frame and the next, (H, W, 3) uint8 each, to flow forwards and backwards."""


@dataclass(frozen=True)
class FlowMethod:
    """A way to compute flow."""

    name: str
    """What a file of the cache says that its flow was computed by."""
    both_ways: BothWays
    """The way itself."""


def choose_method(name: str, *, weights: Path | None = None, device: str = "cpu") -> FlowMethod:
    """Return what computes flow.

    Args:
        name: one of `METHODS`.
        weights: RAFT's weights.
        device: where RAFT computes.

    Raises:
        InputError: there is no such method, or RAFT has no weights that it can use.
        MissingExtraError: torchvision is not installed.
    """
    if name == "raft":
        from ptfan.training.data.flow.raft import load_raft

        return FlowMethod(name, _estimated(load_raft(weights, device)))
    if name == "files":
        return FlowMethod(name, _from_files)
    if name != "dis":
        raise InputError(f"flow: method {name!r}, expected one of {', '.join(METHODS)}")
    dis = DisFlow()
    return FlowMethod(name, _estimated(lambda first, second: dis(_grey(first), _grey(second))))


def compute_flow(
    dataset: ClipSet,
    cache: FlowCache,
    *,
    method: FlowMethod,
    grid: int,
    progress: Progress,
    stop: Event,
    report: Callable[[str], None],
) -> None:
    """Compute what the cache lacks; files that are whole, and of these very frames and settings, stay.

    Args:
        dataset: the clips.
        cache: where the flow goes.
        method: what computes flow; its name is noted.
        grid: pixels to one stored vector, along each axis.
        progress: is told of every pair of frames.
        stop: when it is set, the run ends; the clip in work is lost.
        report: is told of every damaged file.

    Raises:
        InterruptedRunError: the run was stopped.
        InputError: a clip cannot be read.
    """
    make_folder(cache.folder)
    todo = [clip for clip in dataset.clips if not _done(clip, cache, method.name, grid, report)]
    with running(progress, "flow", sum(clip.frames - 1 for clip in todo)):
        for number, clip in enumerate(todo):
            for _ in _compute_clip(clip, cache, method, grid):
                progress.advance()
                if stop.is_set():
                    done = len(dataset.clips) - len(todo) + number
                    raise InterruptedRunError(
                        f"flow: stopped; {done} of {len(dataset.clips)} clips are in {cache.folder}, "
                        "the same command goes on"
                    )


def _done(clip: Clip, cache: FlowCache, method: str, grid: int, report: Callable[[str], None]) -> bool:
    """Tell whether a clip's file is whole and what would be computed now."""
    if not cache.path(clip.name).exists():
        return False
    damage = cache.damage(clip.name)
    if damage is not None:
        report(damage)
        return False
    info = cache.info(clip.name)
    wanted = FlowInfo(clip.fingerprint(), clip.frames, clip.size, grid, method, info.cuts)
    return info == wanted


def _compute_clip(clip: Clip, cache: FlowCache, method: FlowMethod, grid: int) -> Iterator[None]:
    """Compute and write one clip; yield after every pair of frames."""
    count = 1
    cuts: list[int] = []
    members: dict[int, dict[str, NDArray[Any]]] = {}
    for t, ((first, _), (second, cut)) in enumerate(pairwise(with_cuts(clip.pictures()))):
        count = t + 2
        if cut:
            cuts.append(t + 1)
        else:
            members[t] = encode_pair(judged(*method.both_ways(clip, t, first, second)), grid)
        yield
    info = FlowInfo(clip.fingerprint(), count, clip.size, grid, method.name, tuple(cuts))
    cache.write(clip.name, info, members)


def _estimated(estimate: Callable[[Pixels, Pixels], Flow]) -> BothWays:
    return lambda clip, number, first, second: (estimate(first, second), estimate(second, first))


def _from_files(clip: Clip, number: int, first: Pixels, second: Pixels) -> tuple[Flow, Flow]:
    if clip.flow is None:
        raise InputError(f"flow: clip {clip.name} has no .flo files; compute its flow by --method dis")
    forward, backward = clip.flow.read(number)
    if forward.shape[:2] != first.shape[:2] or backward.shape != forward.shape:
        raise InputError(
            f"flow: the .flo files of clip {clip.name} are {forward.shape[1]}x{forward.shape[0]}, "
            f"its frames {first.shape[1]}x{first.shape[0]}; expected the same"
        )
    return forward, backward


def _grey(image: Pixels) -> Pixels:
    """Return the luminance that the runtime estimates flow on."""
    return guide_image(to_floats(image), np.zeros(image.shape[:2], bool))
