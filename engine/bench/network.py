"""The network alone: subjects called in turn, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ptfan.engine.bench.latency import Latency
from ptfan.engine.bench.subject import Subject
from ptfan.engine.bench.work import Work

__all__ = ["NetworkResult", "measure_networks"]

WARM_UP = 2
"""Calls of each subject that are not counted, usually."""


@dataclass(frozen=True, kw_only=True)
class NetworkResult:
    """What one subject took."""

    model: str
    """The contender's name."""
    label: str
    """The model, its size and its streams."""
    backend: str
    """What ran it, and where."""
    form: str
    """`clip` or `step`."""
    numbers: str
    """What it computes with: `fp32`, `fp16` or `int8`."""
    size: tuple[int, int]
    """(width, height) of the frames, pixels."""
    streams: int
    """Streams in a batch."""
    latency: Latency
    """Of a call."""
    times: tuple[float, ...]
    """Milliseconds of every call, in order."""
    frames: int
    """Frames that a call takes."""
    kept: int
    """Frames that a call finishes."""
    work: Work
    """What a finished frame takes at least."""
    ratio: float
    """Times faster than the baseline, per finished frame; the baseline itself is 1."""

    @property
    def frame_ms(self) -> float:
        """Milliseconds a finished frame, by the median call."""
        return self.latency.median / self.kept

    @property
    def throughput(self) -> float:
        """Finished frames a second, by the mean call."""
        return 1e3 * self.kept / self.latency.mean


def measure_networks(
    subjects: Sequence[Subject], rounds: int, advance: Callable[[], None] = lambda: None, *, warm_up: int = WARM_UP
) -> list[NetworkResult]:
    """Call all subjects in turn, and compare them with the first.

    Args:
        subjects: what is measured; the first one is the baseline.
        rounds: timed calls of each.
        advance: is called after every round.
        warm_up: calls of each, before those, that are not counted.
    """
    for subject in subjects:
        for _ in range(warm_up):
            subject.call()
    times: list[list[float]] = [[] for _ in subjects]
    for _ in range(rounds):
        for subject, row in zip(subjects, times, strict=True):
            row.append(subject.call())
        advance()
    latencies = [Latency.of(row) for row in times]
    baseline = latencies[0].median / subjects[0].kept
    return [
        NetworkResult(
            model=subject.model,
            label=subject.label,
            backend=subject.runner.backend,
            form=subject.runner.spec.form,
            numbers=subject.runner.spec.numbers,
            size=subject.size,
            streams=subject.streams,
            latency=latency,
            times=tuple(1e3 * seconds for seconds in row),
            frames=subject.frames,
            kept=subject.kept,
            work=subject.work,
            ratio=baseline / (latency.median / subject.kept),
        )
        for subject, latency, row in zip(subjects, latencies, times, strict=True)
    ]
