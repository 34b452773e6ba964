"""The loop of an evaluation: every method on every clip with every kind of hole, each once and for all."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.frame import Mask
from ptfan.training.data.clips import Clip
from ptfan.training.data.pixels import Pixels
from ptfan.training.evaluation.journal import Journal, Score
from ptfan.training.evaluation.measures import Measures
from ptfan.training.evaluation.methods import Method
from ptfan.training.evaluation.pictures import INPUT, TRUTH, PictureStore
from ptfan.training.evaluation.progress import EvaluationProgress
from ptfan.training.evaluation.protocols import Benchmark
from ptfan.training.evaluation.task import Footage, Task

__all__ = ["Evaluator"]


@dataclass(frozen=True, eq=False)
class Evaluator:
    """What is evaluated on what, by what."""

    benchmark: Benchmark
    """The clips and their holes."""
    methods: Sequence[Method]
    """What fills the holes."""
    measures: Measures
    """What is measured."""
    journal: Journal
    """Where scores are kept, and found again."""
    pictures: PictureStore
    """Where pictures are kept."""

    def __post_init__(self) -> None:
        names = [INPUT, TRUTH, *(method.name for method in self.methods)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InputError(
                f"evaluation: {twice} is taken, expected a name for each method; --model NAME=FILE gives a model one"
            )

    def run(self) -> list[Score]:
        """Evaluate what the journal does not have yet; return all scores, clip by clip."""
        benchmark = self.benchmark
        total = len(benchmark.clips) * len(benchmark.sources) * len(self.methods)
        with EvaluationProgress(total) as progress:
            return [score for place, clip in enumerate(benchmark.clips) for score in self._clip(clip, place, progress)]

    def original(self, clip: Clip) -> str:
        """Return the key of an original's features."""
        return self._key(clip, "", "original")

    def _clip(self, clip: Clip, place: int, progress: EvaluationProgress) -> list[Score]:
        footage: Footage | None = None
        scores = []
        for kind, source in self.benchmark.sources.items():
            holes = source(clip, place, self.benchmark.shape(clip))
            what = f"{kind} {_digest(holes)}"
            keys = {method.name: self._key(clip, what, method.fingerprint) for method in self.methods}
            kept = {name: self._kept(key) for name, key in keys.items()}
            missing = [method for method in self.methods if kept[method.name] is None]
            if missing:
                footage = footage or self._read(clip)
                task = Task(footage, kind, holes)
            for method in self.methods:
                score = kept[method.name] or self._score(task, method, keys[method.name])
                scores.append(score)
                progress.advance(f"{clip.name}, {kind}, {method.name}", kept=kept[method.name] is not None)
        return scores

    def _kept(self, key: str) -> Score | None:
        return self.journal.get(key, features=self.measures.i3d is not None)

    def _read(self, clip: Clip) -> Footage:
        footage = self.benchmark.read(clip)
        key = self.original(clip)
        if self.measures.i3d is not None and self.journal.features(key) is None:
            self.journal.keep(key, self.measures.i3d.features(footage.frames))
        return footage

    def _score(self, task: Task, method: Method, key: str) -> Score:
        started = time.perf_counter()
        result = method.fill(task.truth, task.holes)
        seconds = (time.perf_counter() - started) / len(task.truth)
        _check(method.name, task, result)
        values = self.measures(task, result) | {"seconds": seconds}
        score = Score(key, task.footage.clip, task.kind, method.name, len(task.counted), values)
        self.pictures.keep(score, task, result)
        i3d = self.measures.i3d
        self.journal.add(score, None if i3d is None else i3d.features(result))
        return score

    def _key(self, clip: Clip, holes: str, what: str) -> str:
        shape = self.benchmark.shape(clip)
        parts = (self.benchmark.identity, clip.name, clip.fingerprint(), shape, holes, what, self.measures.identity)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _digest(holes: Sequence[Mask]) -> str:
    """Return a hash of the masks: they may come from files, and from other clips than the one that they are for."""
    found = hashlib.sha256()
    for hole in holes:
        found.update(np.packbits(hole).tobytes())
    return found.hexdigest()


def _check(name: str, task: Task, result: Sequence[Pixels]) -> None:
    if len(result) != len(task.truth):
        raise ModelError(
            f"method {name}: returned {len(result)} frames for {len(task.truth)}; it must keep their number"
        )
