"""A whole benchmark: networks, then videos, then the report."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from ptfan.engine.bench.end_to_end import VideoResult, measure_videos
from ptfan.engine.bench.network import measure_networks
from ptfan.engine.bench.report import bench_tables, write_bench
from ptfan.engine.bench.subject import Subject
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.machine import describe_machine
from ptfan.engine.models import find_model
from ptfan.engine.progress import Progress, choose_progress
from ptfan.engine.runner import Runner, open_runner

__all__ = ["BenchSettings", "run_bench"]


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """What `ptfan bench` was asked for."""

    models: tuple[str, ...]
    """Names or files; the first one is the baseline."""
    sizes: tuple[tuple[int, int], ...] = ((432, 240),)
    """(width, height) of the networks' frames, pixels."""
    streams: tuple[int, ...] = (1,)
    """Streams in a batch, for step models."""
    rounds: int = 30
    """Timed calls of each network."""
    clip: Path | None = None
    """The video of whole runs; the demo's by default."""
    mask: Path | None = None
    """Its hole."""
    runs: int = 3
    """Whole runs of each model; 0 leaves them out."""
    threads: int = 0
    """Threads inside the network; 0 takes one a core."""
    crop: bool = True
    """Whole runs show the network only a region round the hole."""


def run_bench(settings: BenchSettings, output: Path | None = None, *, quiet: bool = False) -> str:
    """Measure; write the report if a folder is given; return its tables.

    Raises:
        InputNotFoundError: there is no such model.
        InputError: a size or a number of streams does not fit a model.
        BackendError: a run failed.
    """
    machine = describe_machine()
    progress = choose_progress(quiet=quiet)
    progress.start("networks", settings.rounds)
    try:
        with ExitStack() as stack:
            runners = {
                model: stack.enter_context(open_runner(find_model(model), threads=settings.threads))
                for model in settings.models
            }
            subjects = _subjects(settings, runners)
            networks = measure_networks(subjects, settings.rounds, progress.advance)
    finally:
        progress.finish()
    videos = _videos(settings, progress)
    if output is not None:
        write_bench(
            output,
            machine,
            asdict(settings) | {"clip": str(settings.clip or "the demo's"), "mask": str(settings.mask or "the demo's")},
            networks,
            videos,
        )
    return bench_tables(machine, networks, videos)


def _subjects(settings: BenchSettings, runners: Mapping[str, Runner]) -> list[Subject]:
    """Return every model at every size; with several streams only those that have them."""
    return [
        Subject(model, runners[model], size, streams=streams)
        for size, model, streams in product(settings.sizes, settings.models, settings.streams)
        if runners[model].spec.form == "step" or streams == 1
    ]


def _videos(settings: BenchSettings, progress: Progress) -> list[VideoResult]:
    models = [model for model in settings.models if find_model(model).suffix == ".onnx"]
    if not settings.runs or not models:
        return []
    progress.start("whole videos", settings.runs * len(models))
    try:
        return measure_videos(
            models,
            settings.clip or DEMO_CLIP,
            settings.mask or DEMO_MASK,
            rounds=settings.runs,
            crop=settings.crop,
            threads=settings.threads,
            advance=progress.advance,
        )
    finally:
        progress.finish()
