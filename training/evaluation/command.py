"""`ptfan eval`: from a dataset and methods to a folder of reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ptfan.engine.checks import check_numbers
from ptfan.engine.errors import InputError
from ptfan.engine.folders import make_folder
from ptfan.engine.inpainter import InpaintSettings
from ptfan.engine.spec import CompletionName
from ptfan.engine.versions import versions
from ptfan.training.evaluation.evaluator import Evaluator
from ptfan.training.evaluation.journal import Journal, Score
from ptfan.training.evaluation.measures import WEIGHTS_OPTIONS, Weights, choose_measures
from ptfan.training.evaluation.methods import Method, baseline_methods, model_methods
from ptfan.training.evaluation.pictures import PictureStore
from ptfan.training.evaluation.protocols import open_benchmark
from ptfan.training.evaluation.report import Mean, clip_table, draw_tradeoff, mean_tables, means, write_scores

__all__ = ["EvaluationSettings", "run_evaluation", "write_report"]

VFID_CLIPS = 50
"""Fewer clips than these make a poor estimate of a distribution; the report says so."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What `ptfan eval` was asked for."""

    data: Path
    """The dataset's folder."""
    protocol: str = "folder"
    """Which clips and holes, see `ptfan.training.evaluation.protocols`."""
    kinds: tuple[str, ...] | None = None
    """The holes, for the protocol `folder` alone; None takes its usual ones."""
    frames: int | None = None
    """The most frames of a clip; None takes the protocol's."""
    seed: int = 0
    """Seed of the holes that are generated."""
    ratio: int = 35
    """FVI's group of holes: their mean share of the frame in percent."""
    models: tuple[str, ...] = ()
    """Models: names, ONNX files or checkpoints."""
    baselines: tuple[str, ...] = ()
    """Methods without a network."""
    crop: bool = True
    """Whether models see a crop round the hole, or the whole frame."""
    threads: int = 0
    """Threads of a network; 0 takes one a core, or one for two cores where convolutions are int8."""
    flow_completion: CompletionName = "learned"
    """What decides on the flow inside holes, for models."""
    colour_completion: CompletionName = "learned"
    """What decides on the colours that no frame shows, for models."""
    metrics: tuple[str, ...] | None = None
    """What to measure; None takes what needs no weights, and what has them."""
    weights: Weights = field(default_factory=Weights)
    """The weights of the perceptual metrics."""

    def __post_init__(self) -> None:
        if not self.models and not self.baselines:
            raise InputError("nothing to evaluate: give --model or --baseline")
        check_numbers("", self, "frames", least=2)


def run_evaluation(settings: EvaluationSettings, output: Path) -> list[Mean]:
    """Evaluate, and write the reports; results that are in the folder already are not computed again.

    Args:
        settings: what to evaluate.
        output: gets `scores.json`, `scores.md`, `clips.md`, `tradeoff.png`, contact sheets and what is needed to go on.

    Raises:
        InputError: something was named that is not known or cannot be used.
    """
    inpaint = InpaintSettings(
        crop=settings.crop,
        threads=settings.threads,
        flow_completion=settings.flow_completion,
        colour_completion=settings.colour_completion,
    )
    baselines = baseline_methods(settings.baselines)
    with model_methods(settings.models, inpaint) as models:
        evaluator = _evaluator(settings, [*baselines, *models], output)
        make_folder(output)
        scores = evaluator.run()
    return write_report(evaluator, scores, _about(settings, evaluator), output)


def write_report(evaluator: Evaluator, scores: Sequence[Score], about: Mapping[str, Any], output: Path) -> list[Mean]:
    """Write all reports of an evaluation; return the means.

    Args:
        evaluator: what was evaluated.
        scores: its scores.
        about: what the JSON file tells beside them; `notes` also stand in the Markdown.
        output: the folder.
    """
    averages = means(scores, _vfid(evaluator, scores))
    write_scores(output / "scores.json", about, averages, scores)
    text = "\n".join([mean_tables(averages), *(f"- {note}" for note in about.get("notes", ()))])
    (output / "scores.md").write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    (output / "clips.md").write_text(clip_table(scores), encoding="utf-8")
    draw_tradeoff(averages, output / "tradeoff.png")
    evaluator.pictures.sheets(scores, output)
    return averages


def _evaluator(settings: EvaluationSettings, methods: Sequence[Method], output: Path) -> Evaluator:
    benchmark = open_benchmark(
        settings.data,
        settings.protocol,
        kinds=settings.kinds,
        frames=settings.frames,
        seed=settings.seed,
        ratio=settings.ratio,
    )
    measures = choose_measures(settings.metrics, settings.weights)
    return Evaluator(benchmark, methods, measures, Journal(output), PictureStore(output / "frames"))


def _vfid(evaluator: Evaluator, scores: Sequence[Score]) -> dict[tuple[str, str], float]:
    """Return VFID by kind and method; nothing if it was not asked for."""
    if evaluator.measures.i3d is None:
        return {}
    from ptfan.training.evaluation.metrics.vfid import frechet_distance

    journal = evaluator.journal
    originals = np.stack([_there(journal, evaluator.original(clip)) for clip in evaluator.benchmark.clips])
    groups: dict[tuple[str, str], list[str]] = {}
    for score in scores:
        groups.setdefault((score.kind, score.method), []).append(score.key)
    return {
        group: frechet_distance(originals, np.stack([_there(journal, key) for key in keys]))
        for group, keys in groups.items()
    }


def _there(journal: Journal, key: str) -> Any:
    features = journal.features(key)
    if features is None:
        raise InputError(f"evaluation: the features {key} have gone from the report's folder; take a new folder")
    return features


def _about(settings: EvaluationSettings, evaluator: Evaluator) -> dict[str, Any]:
    notes = list(evaluator.benchmark.notes)
    clips = len(evaluator.benchmark.clips)
    missing = [f"{name} ({option})" for name, option in WEIGHTS_OPTIONS.items() if name not in evaluator.measures.names]
    if missing and not settings.metrics:
        notes.append(f"Left out for want of weights: {', '.join(missing)}.")
    if evaluator.measures.i3d is not None and clips < VFID_CLIPS:
        notes.append(f"VFID compares {clips} clips: too few for a figure that others could be compared with.")
    return {
        "protocol": settings.protocol,
        "data": str(settings.data),
        "frames": evaluator.benchmark.frames,
        "size": evaluator.benchmark.size,
        "seed": settings.seed,
        "ratio": settings.ratio if settings.protocol in ("fvi-curve", "fvi-object") else None,
        "crop": settings.crop,
        "metrics": evaluator.measures.names,
        "notes": notes,
        "versions": versions(),
    }
