"""What a frame costs in a clip of so many frames: flat, or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from ptfan.engine.bench.subject import Subject

__all__ = ["ClipResult", "measure_clips"]


@dataclass(frozen=True, kw_only=True)
class ClipResult:
    """What the network took for one clip; the median of several."""

    label: str
    """The model, its size and its streams."""
    form: str
    """`clip` or `step`."""
    length: int
    """Frames of the clip."""
    frame_ms: float
    """Milliseconds a frame, the flush at the end included."""
    flush_ms: float
    """How much of that the flush is."""
    slowest_ms: float
    """Milliseconds a frame of the slowest run."""


def measure_clips(
    subjects: Sequence[Subject], lengths: Sequence[int], rounds: int, advance: Callable[[], None] = lambda: None
) -> list[ClipResult]:
    """Run clips of every length through all subjects, in turn.

    Args:
        subjects: what is measured; they have been called before.
        lengths: frames of the clips.
        rounds: runs of each.
        advance: is called after every run.
    """
    times: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for length in lengths:
            for place, subject in enumerate(subjects):
                share = 1e3 / (length * subject.streams)
                whole, flush = subject.clip(length)
                times.setdefault((place, length), []).append((share * whole, share * flush))
                advance()
    return [
        _result(subject, length, times[place, length]) for place, subject in enumerate(subjects) for length in lengths
    ]


def _result(subject: Subject, length: int, times: Sequence[tuple[float, float]]) -> ClipResult:
    whole, flush = zip(*times, strict=True)
    return ClipResult(
        label=subject.label,
        form=subject.runner.spec.form,
        length=length,
        frame_ms=median(whole),
        flush_ms=median(flush),
        slowest_ms=max(whole),
    )
