"""How well flow is completed inside holes: its error, and the quality of what is filled along it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.folders import make_folder
from ptfan.engine.frame import Mask
from ptfan.engine.models import FLOW_MODEL, file_sha256
from ptfan.engine.prepare.flow import FlowPair, SmoothFlows, judged, smooth_completion, smooth_flows
from ptfan.engine.prepare.flow_completion import LearnedFlow
from ptfan.engine.prepare.propagation import propagate
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.versions import versions
from ptfan.training.data.pixels import to_bytes, to_floats
from ptfan.training.evaluation.figures import mean_figure
from ptfan.training.evaluation.metrics.psnr import psnr
from ptfan.training.evaluation.progress import EvaluationProgress
from ptfan.training.evaluation.protocols import Benchmark, open_benchmark
from ptfan.training.evaluation.task import Task
from ptfan.training.flow_completion.report import FlowScore, score_table

__all__ = ["FlowEvaluation", "endpoint_error", "evaluate_flow", "score_task"]


@dataclass(frozen=True, kw_only=True)
class FlowEvaluation:
    """What `ptfan eval-flow` was asked for."""

    data: Path
    """The dataset's folder."""
    model: Path = FLOW_MODEL
    """The network."""
    kinds: tuple[str, ...] = ("box", "text", "object", "free-form")
    """The holes, see `ptfan.training.evaluation.protocols`."""
    frames: int = 16
    """The most frames of a clip."""
    seed: int = 0
    """Seed of the holes that are generated."""
    threads: int = 0
    """Threads of the network; 0 takes one a core."""


def evaluate_flow(settings: FlowEvaluation, output: Path) -> str:
    """Measure, and write the report; return its table.

    Args:
        settings: what to measure.
        output: gets `flow.md` and `flow.json`.

    Raises:
        InputError: the dataset cannot be used, or a kind of holes is not known.
        ModelError: the model completes no flow.
    """
    benchmark = open_benchmark(
        settings.data, "folder", kinds=settings.kinds, frames=settings.frames, seed=settings.seed, ratio=35
    )
    _check_lengths(benchmark, settings.data)
    with open_runner(settings.model, threads=settings.threads) as runner:
        completion = LearnedFlow(runner)
        make_folder(output)
        scores = list(_scores(benchmark, completion))
    table = score_table(scores)
    about = {
        "data": str(settings.data),
        "model": str(settings.model),
        "model_sha256": file_sha256(settings.model),
        "frames": settings.frames,
        "seed": settings.seed,
        "versions": versions(),
        "scores": [score.plain() for score in scores],
    }
    (output / "flow.md").write_text(table, encoding="utf-8")
    (output / "flow.json").write_text(json.dumps(about, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return table


def score_task(task: Task, completion: LearnedFlow) -> FlowScore:
    """Return the figures of one clip with one kind of hole."""
    images = [to_floats(frame) for frame in task.truth]
    smooth, complete = smooth_flows(images, task.holes), task.footage.flows
    pairs = {
        "smooth": smooth_completion(smooth, task.holes),
        "learned": completion(smooth, task.holes),
        "true": _known(smooth, complete, task.holes),
    }
    return FlowScore(
        task.footage.clip,
        task.kind,
        {name: endpoint_error(pairs[name], complete, task.holes) for name in ("smooth", "learned")},
        {name: _fill_psnr(task, images, flows) for name, flows in pairs.items()},
    )


def endpoint_error(pairs: Sequence[FlowPair], truth: Sequence[FlowPair], holes: Sequence[Mask]) -> float:
    """Return the mean length of the difference of two flows in the holes, pixels.

    Args:
        pairs: T - 1 pairs.
        truth: T - 1 pairs.
        holes: T masks (H, W).

    Returns:
        The mean; nan if no frame has a hole.
    """
    errors = []
    for pair, true, first, second in zip(pairs, truth, holes[:-1], holes[1:], strict=True):
        errors.append(np.linalg.norm(pair.forward - true.forward, axis=2)[first])
        errors.append(np.linalg.norm(pair.backward - true.backward, axis=2)[second])
    lengths = np.concatenate(errors)
    return float(lengths.mean()) if lengths.size else math.nan


def _check_lengths(benchmark: Benchmark, data: Path) -> None:
    short = [clip.name for clip in benchmark.clips if benchmark.shape(clip).frames < 2]
    if short:
        raise InputError(
            f"clips of 1 frame ({', '.join(short)}): expected 2 or more: there is no flow in one frame; "
            f"take them out of {data}"
        )


def _scores(benchmark: Benchmark, completion: LearnedFlow) -> Iterator[FlowScore]:
    with EvaluationProgress(len(benchmark.clips) * len(benchmark.sources)) as progress:
        for place, clip in enumerate(benchmark.clips):
            footage = benchmark.read(clip)
            for kind, source in benchmark.sources.items():
                yield score_task(Task(footage, kind, source(clip, place, benchmark.shape(clip))), completion)
                progress.advance(f"{clip.name}, {kind}")


def _known(smooth: Sequence[SmoothFlows], complete: Sequence[FlowPair], holes: Sequence[Mask]) -> list[FlowPair]:
    """Return the estimated flow with the complete frames' in the holes, where no error is expected then."""
    nothing = np.zeros(holes[0].shape, np.float32)
    return [
        judged(
            np.where(first[..., None], true.forward, forward),
            np.where(second[..., None], true.backward, backward),
            nothing,
            nothing,
        )
        for (forward, backward), true, first, second in zip(smooth, complete, holes[:-1], holes[1:], strict=True)
    ]


def _fill_psnr(task: Task, images: Sequence[NDArray[np.float32]], flows: Sequence[FlowPair]) -> float:
    """Return the PSNR in the holes of the pixels that are carried along the flow, mean over frames with a hole, dB."""
    filled, _ = propagate(images, task.holes, flows)
    fills = [to_bytes(picture) for picture in filled]
    return mean_figure(psnr(fills[t], task.truth[t], task.holes[t]) for t in task.counted)
