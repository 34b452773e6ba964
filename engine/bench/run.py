"""A whole benchmark: networks, then videos, then the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from ptfan.engine.bench.clip_length import ClipResult, measure_clips
from ptfan.engine.bench.contender import Contender, contenders
from ptfan.engine.bench.end_to_end import VideoResult, measure_videos
from ptfan.engine.bench.footage import Footage
from ptfan.engine.bench.network import NetworkResult, measure_networks
from ptfan.engine.bench.plots import check_plots, draw_plots
from ptfan.engine.bench.report import bench_tables, write_bench
from ptfan.engine.bench.result import BenchResult
from ptfan.engine.bench.subject import Subject
from ptfan.engine.bench.work import measure_pace
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.folders import make_folder
from ptfan.engine.machine import describe_machine
from ptfan.engine.progress import Progress, choose_progress, running
from ptfan.engine.runners.backends import Backend
from ptfan.engine.runners.runner import Runner

__all__ = ["BenchSettings", "run_bench"]

CLIP_ROUNDS = 3
"""Runs of each clip length."""
DEMO_REPEAT = 5
"""How often the demo's clip is played: of its 55 frames alone, start and end would be a quarter of the time."""


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """What `ptfan bench` was asked for."""

    models: tuple[str, ...]
    """Names or files; the first one is the baseline."""
    sizes: tuple[tuple[int, int], ...] = ((432, 240),)
    """(width, height) of the networks' frames, pixels."""
    streams: tuple[int, ...] = (1,)
    """Streams in a batch, for step models."""
    windows: tuple[int | None, ...] = (None,)
    """Frames in a window, for clip models; None takes the model's own."""
    rounds: int = 30
    """Timed calls of each network."""
    lengths: tuple[int, ...] = ()
    """Frames of the clips that each model is run through, at the first size; none leaves them out."""
    clip: Path | None = None
    """The video of whole runs; the demo's by default."""
    mask: Path | None = None
    """Its hole."""
    video_sizes: tuple[tuple[int, int] | None, ...] = (None,)
    """(width, height) that it is scaled to, pixels; None leaves it as it is."""
    repeat: int | None = None
    """How often it is played in a run; None takes 5 of the demo's, which is short, and 1 of others."""
    runs: int = 3
    """Whole runs of each model; 0 leaves them out."""
    backends: tuple[Backend, ...] = ("auto",)
    """What runs them; each model on each."""
    gpu: int = 0
    """The GPU that a backend which needs one uses."""
    threads: int = 0
    """Threads inside the network; 0 takes one a core, or one for two cores where convolutions are int8."""
    plots: bool = False
    """Draw the figures, too."""
    crop: bool = True
    """Whole runs show the network only a region round the hole."""

    @property
    def footage(self) -> list[Footage]:
        """What whole runs inpaint: the video in each of its sizes, which are all named once."""
        clip, mask = self.clip or DEMO_CLIP, self.mask or DEMO_MASK
        repeat = self.repeat or (DEMO_REPEAT if self.clip is None else 1)
        return [Footage(clip=clip, mask=mask, size=size, repeat=repeat) for size in dict.fromkeys(self.video_sizes)]


def run_bench(settings: BenchSettings, output: Path | None = None, *, quiet: bool = False) -> str:
    """Measure; write the report if a folder is given; return its tables.

    Raises:
        InputNotFoundError: there is no such model.
        InputError: a model is named twice, or a size, a window or a number of streams does not fit it.
        BackendError: a run failed.
        OutputError: the folder cannot be made or written to.
        ImportError: plots are asked for, and matplotlib is not installed.
    """
    if settings.plots:
        check_plots()
    for footage in settings.footage if settings.runs else ():
        footage.check()
    if output is not None:
        make_folder(output)
    machine, pace = describe_machine(), measure_pace()
    progress = choose_progress(quiet=quiet)
    entries = contenders(settings.models, settings.backends, gpu=settings.gpu, threads=settings.threads)
    with ExitStack() as stack:
        runners = {entry.name: stack.enter_context(entry.open()) for entry in entries}
        networks = _networks(settings, runners, progress)
        clips = _clips(settings, runners, progress)
    asked = {"clip": str(settings.clip or "the demo's"), "mask": str(settings.mask or "the demo's")}
    result = BenchResult(
        machine=machine,
        pace=pace,
        settings=asdict(settings) | asked,
        networks=tuple(networks),
        clips=tuple(clips),
        videos=tuple(_videos(settings, entries, progress)),
    )
    if output is not None:
        write_bench(output, result)
        if settings.plots:
            draw_plots(output, result)
    return bench_tables(result)


def _networks(settings: BenchSettings, runners: Mapping[str, Runner], progress: Progress) -> list[NetworkResult]:
    subjects = _subjects(settings, runners)
    with running(progress, "networks", settings.rounds, "rounds"):
        return measure_networks(subjects, settings.rounds, progress.advance)


def _subjects(settings: BenchSettings, runners: Mapping[str, Runner]) -> list[Subject]:
    """Return every model at every size; step models with every number of streams, clip models with every window."""
    return [
        Subject(name, runner, size, **kind)
        for size, (name, runner) in product(settings.sizes, runners.items())
        for kind in _kinds(settings, runner)
    ]


def _kinds(settings: BenchSettings, runner: Runner) -> list[dict[str, Any]]:
    if runner.spec.form == "step":
        return [{"streams": streams} for streams in settings.streams]
    return [{"window": window} for window in settings.windows]


def _clips(settings: BenchSettings, runners: Mapping[str, Runner], progress: Progress) -> list[ClipResult]:
    if not settings.lengths:
        return []
    subjects = [Subject(name, runner, settings.sizes[0]) for name, runner in runners.items()]
    with running(progress, "clips", CLIP_ROUNDS * len(subjects) * len(settings.lengths), "runs"):
        return measure_clips(subjects, settings.lengths, CLIP_ROUNDS, progress.advance)


def _videos(settings: BenchSettings, entries: Sequence[Contender], progress: Progress) -> list[VideoResult]:
    entries = [entry for entry in entries if entry.runs_videos]
    if not settings.runs or not entries:
        return []
    videos = settings.footage
    with running(progress, "whole videos", settings.runs * len(entries) * len(videos), "runs"):
        return [
            result
            for footage in videos
            for result in measure_videos(
                entries, footage, rounds=settings.runs, crop=settings.crop, advance=progress.advance
            )
        ]
