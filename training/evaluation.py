"""Quality on clips with known truth: holes are cut into complete clips, filled, and compared with what was there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.completion import dilate
from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.flow import estimate_flows
from ptfan.engine.frame import Frame, Mask
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.training.baselines import Method
from ptfan.training.data import VIDEO_SUFFIXES
from ptfan.training.metrics import psnr, warping_error

__all__ = ["HOLE_KINDS", "Score", "Task", "evaluate", "model_method", "tasks"]

Picture = NDArray[np.float32]
HOLE_KINDS = ("box", "text", "object")
"""A stationary box of 100x60 in 432x240 in the middle; a stationary line of text; another clip's moving object."""
OBJECT_MARGIN = 3
"""Pixels by which an object's mask is grown."""


@dataclass(frozen=True, eq=False)
class Task:
    """One clip with one kind of hole."""

    clip: str
    """The clip's name."""
    kind: str
    """The hole's kind, one of `HOLE_KINDS`."""
    truth: tuple[Picture, ...]
    """T frames (H, W, 3), RGB in [0, 1]."""
    holes: tuple[Mask, ...]
    """T masks (H, W)."""


@dataclass(frozen=True)
class Score:
    """How a method did on a task."""

    clip: str
    """The clip's name."""
    kind: str
    """The hole's kind."""
    method: str
    """The method's name."""
    psnr_hole: float
    """Mean over the frames of the PSNR inside the hole, dB."""
    psnr_frame: float
    """Mean over the frames of the PSNR of the whole frame, dB."""
    warping_error: float
    """See `ptfan.training.metrics.warping_error`."""
    seconds: float
    """Seconds a frame, everything included but decoding."""


def tasks(folder: Path, *, frames: int, kinds: Sequence[str] = HOLE_KINDS) -> Iterator[Task]:
    """Yield every clip of a folder with every kind of hole, always the same.

    Args:
        folder: holds videos and, for objects, folders `NAME_mask` of PNG masks beside them.
        frames: the most frames to read of a clip.
        kinds: which holes to cut.

    Raises:
        InputNotFoundError: the folder is not there.
        InputError: it holds no video, or no masks though objects were asked for.
    """
    if not folder.is_dir():
        raise InputNotFoundError(f"evaluation: {folder} is not a folder; expected one that holds videos")
    videos = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
    if not videos:
        raise InputError(f"evaluation: no video in {folder}")
    for number, video in enumerate(videos):
        truth = _read(video, frames)
        for kind in kinds:
            yield Task(video.stem, kind, truth, _holes(kind, truth, folder, number))


def evaluate(
    work: Iterator[Task], methods: dict[str, Method], *, finished: Callable[[Task, dict[str, list[Picture]]], None]
) -> list[Score]:
    """Run every method on every task.

    Args:
        work: the tasks.
        methods: functions from images and holes to filled images, by name.
        finished: called after each task with its results by method, to draw them for instance.
    """
    scores = []
    for task in work:
        whole = [np.zeros_like(hole) for hole in task.holes]
        flows = estimate_flows(task.truth, whole)
        results = {}
        for name, method in methods.items():
            started = time.perf_counter()
            results[name] = method(task.truth, task.holes)
            seconds = (time.perf_counter() - started) / len(task.truth)
            pairs = list(zip(results[name], task.truth, task.holes, strict=True))
            scores.append(
                Score(
                    task.clip,
                    task.kind,
                    name,
                    _mean([psnr(result, truth, hole) for result, truth, hole in pairs if hole.any()]),
                    _mean([psnr(result, truth) for result, truth, hole in pairs if hole.any()]),
                    warping_error(results[name], task.holes, flows),
                    seconds,
                )
            )
        finished(task, results)
    return scores


def model_method(model: str | Path, settings: InpaintSettings) -> Method:
    """Return the runtime itself as a method: what is scored is what is shipped."""
    inpainter = Inpainter(model, settings=settings)

    def run(images: Sequence[Picture], holes: Sequence[Mask]) -> list[Picture]:
        done = []
        for image, hole in zip(images, holes, strict=True):
            done += inpainter.push(Frame(np.rint(image * 255.0).astype(np.uint8), hole))
        return [frame.composite().astype(np.float32) / 255.0 for frame in done + inpainter.flush()]

    return run


def _read(video: Path, frames: int) -> tuple[Picture, ...]:
    pictures: list[Picture] = []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            pictures.append(frame.to_ndarray(format="rgb24").astype(np.float32) / np.float32(255))
            if len(pictures) == frames:
                break
    return tuple(pictures)


def _holes(kind: str, truth: Sequence[Picture], folder: Path, number: int) -> tuple[Mask, ...]:
    height, width = truth[0].shape[:2]
    if kind == "object":
        return _object_holes(folder, number, len(truth), (width, height))
    canvas = np.zeros((height, width), np.uint8)
    if kind == "box":
        half_width, half_height = round(50 / 432 * width), round(30 / 240 * height)
        canvas[
            height // 2 - half_height : height // 2 + half_height, width // 2 - half_width : width // 2 + half_width
        ] = 1
    elif kind == "text":
        scale = height / 240
        origin = (round(40 * scale), height - round(30 * scale))
        cv2.putText(
            canvas, "Subtitle text here", origin, cv2.FONT_HERSHEY_SIMPLEX, 1.1 * scale, 1, max(1, round(6 * scale))
        )
    else:
        raise InputError(f"evaluation: holes of kind {kind!r}, expected one of {', '.join(HOLE_KINDS)}")
    return (canvas > 0,) * len(truth)


def _object_holes(folder: Path, number: int, frames: int, size: tuple[int, int]) -> tuple[Mask, ...]:
    """Read the masks of the clip three places on: an object that moves by itself, in front of another scene."""
    folders = sorted(path for path in folder.glob("*_mask") if path.is_dir())
    if not folders:
        raise InputError(f"evaluation: no folder NAME_mask in {folder}; leave out the object holes")
    images = sorted(folders[(number + 3) % len(folders)].glob("*.png"))
    masks = [
        dilate(cv2.resize(cv2.imread(str(path), 0), size, interpolation=cv2.INTER_NEAREST) > 0, OBJECT_MARGIN)
        for path in images[:frames]
    ]
    # A sequence that is too short runs back and forth.
    cycle = masks + masks[-2:0:-1]
    return tuple(cycle[t % len(cycle)] for t in range(frames))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan
