"""Whole videos, as users run them: each run in a process of its own, in turn."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from ptfan.engine.bench.contender import Contender
from ptfan.engine.bench.footage import Footage
from ptfan.engine.bench.process import run_process
from ptfan.engine.media import open_source

__all__ = ["VideoResult", "measure_videos"]

VIDEO_RUN = "ptfan.engine.bench.video_run"


@dataclass(frozen=True, kw_only=True)
class VideoResult:
    """What a contender took for a video, from opening it to the finished file; medians over the runs."""

    model: str
    """The contender's name."""
    size: str
    """The frames' size, if they were scaled: `1920x1080`; empty where the clip was run as it is."""
    frames: int
    """Frames of the video."""
    fps: float
    """Frames a second."""
    slowest: float
    """Frames a second of the slowest run."""
    stages: dict[str, float]
    """Milliseconds a frame that each stage worked; they overlap."""
    processor: float
    """Milliseconds a frame of all cores together."""
    memory: int
    """The most memory of a run, bytes."""
    ratio: float
    """Times faster than the baseline."""
    rate: float | None
    """Frames a second that the video is shown at; None when unknown."""

    @property
    def label(self) -> str:
        """What reports call it."""
        return f"{self.model}, {self.size}" if self.size else self.model

    @property
    def realtime(self) -> float | None:
        """Times faster than the video is shown; 1 or more can keep up with it."""
        return None if self.rate is None else self.fps / self.rate


def measure_videos(
    entries: Sequence[Contender],
    footage: Footage,
    *,
    rounds: int,
    crop: bool = True,
    advance: Callable[[], None] = lambda: None,
) -> list[VideoResult]:
    """Inpaint a video with each contender, in turn; the first one is the baseline.

    Args:
        entries: who takes part.
        footage: the video and its hole.
        rounds: runs of each.
        crop: show the network only a region round the hole.
        advance: is called after every run.

    Raises:
        InputError: the video cannot be made.
        BackendError: a run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = footage.made(Path(folder))
        runs = _run_all(entries, made, rounds, crop, advance)
        with open_source(made.clip) as source:
            rate = source.info.rate
    shown = None if rate is None else float(rate)
    results = [_result(name, footage.size_name, found, shown) for name, found in runs.items()]
    return [replace(result, ratio=result.fps / results[0].fps) for result in results]


def _run_all(
    entries: Sequence[Contender], footage: Footage, rounds: int, crop: bool, advance: Callable[[], None]
) -> dict[str, list[dict[str, Any]]]:
    """Return what each run of each contender took."""
    runs: dict[str, list[dict[str, Any]]] = {entry.name: [] for entry in entries}
    for _ in range(rounds):
        for entry in entries:
            settings = {"crop": crop, "threads": entry.threads, "backend": entry.backend, "gpu": entry.gpu}
            with tempfile.TemporaryDirectory() as folder:
                asked = {"clip": str(footage.clip), "mask": str(footage.mask), "model": entry.model, "folder": folder}
                what = f"inpainting with {entry.model}"
                runs[entry.name].append(run_process(VIDEO_RUN, {**asked, "settings": settings}, what))
            advance()
    return runs


def _result(name: str, size: str, runs: Sequence[dict[str, Any]], rate: float | None) -> VideoResult:
    frames = runs[0]["frames"]
    speeds = [frames / run["seconds"] for run in runs]
    return VideoResult(
        model=name,
        size=size,
        frames=frames,
        fps=median(speeds),
        slowest=min(speeds),
        stages={name: 1e3 * median(run["stages"][name] for run in runs) / frames for name in runs[0]["stages"]},
        processor=1e3 * median(run["processor"] for run in runs) / frames,
        memory=max(run["memory"] for run in runs),
        ratio=1.0,
        rate=rate,
    )
