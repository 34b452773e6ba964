"""A benchmark's files: JSON with everything, CSV, and tables to read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ptfan.engine.atomic import write_atomically
from ptfan.engine.bench.end_to_end import VideoResult
from ptfan.engine.bench.network import NetworkResult

__all__ = ["bench_tables", "write_bench"]

FIGURES = {
    "min": "minimum",
    "median": "median",
    "mean": "mean",
    "p90": "p90",
    "p95": "p95",
    "p99": "p99",
    "max": "maximum",
}
"""The columns of a call's latency, and the fields of `Latency` that they show."""
NOTE = "unsteady: the slow calls took half as long again as the usual ones; something else was at work"


def bench_tables(
    machine: Mapping[str, str], networks: Sequence[NetworkResult], videos: Sequence[VideoResult] = ()
) -> str:
    """Return the tables as Markdown."""
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['date']}; load before {machine['load before']}."
    ]
    lines += ["", *_network_table(networks)]
    if any(not result.latency.steady for result in networks):
        lines += ["", f"\\* {NOTE}."]
    if videos:
        lines += ["", *_video_table(videos)]
    return "\n".join(lines) + "\n"


def write_bench(
    folder: Path,
    machine: Mapping[str, str],
    settings: Mapping[str, object],
    networks: Sequence[NetworkResult],
    videos: Sequence[VideoResult] = (),
) -> None:
    """Write `bench.json`, `bench.csv` and `bench.md`.

    Raises:
        OutputError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    everything = {
        "machine": dict(machine),
        "settings": dict(settings),
        "networks": [
            {**asdict(item), "steady": item.latency.steady, "frame_ms": item.frame_ms, "throughput": item.throughput}
            for item in networks
        ],
        "videos": [asdict(item) for item in videos],
    }
    write_atomically(folder / "bench.json", (json.dumps(everything, indent=1) + "\n").encode(), overwrite=True)
    write_atomically(folder / "bench.csv", _csv(networks).encode(), overwrite=True)
    write_atomically(folder / "bench.md", bench_tables(machine, networks, videos).encode(), overwrite=True)


def _network_table(results: Sequence[NetworkResult]) -> list[str]:
    figures = (*FIGURES, "ms a frame", "frames/s", "ratio")
    head = f"| network | backend | form | calls | {' | '.join(figures)} |"
    rows = []
    for item in results:
        times = [getattr(item.latency, name) for name in FIGURES.values()]
        cells = " | ".join(f"{value:.2f}" for value in (*times, item.frame_ms, item.throughput, item.ratio))
        mark = "" if item.latency.steady else " \\*"
        rows.append(f"| {item.label}{mark} | {item.backend} | {item.form} | {item.latency.calls} | {cells} |")
    return ["Milliseconds a call; a call of the clip form finishes several frames.", "", head, _rule(head), *rows]


def _video_table(results: Sequence[VideoResult]) -> list[str]:
    stages = list(results[0].stages)
    head = f"| whole video | frames | frames/s | slowest run | memory, MB | {' | '.join(stages)} | ratio |"
    rows = [
        f"| {item.model} | {item.frames} | {item.fps:.1f} | {item.slowest:.1f} | {item.memory / 1e6:.0f} | "
        f"{' | '.join(f'{item.stages[name]:.1f}' for name in stages)} | {item.ratio:.2f} |"
        for item in results
    ]
    return ["Stages in milliseconds a frame; they overlap.", "", head, _rule(head), *rows]


def _rule(head: str) -> str:
    return "|---" * (head.count("|") - 1) + "|"


def _csv(results: Sequence[NetworkResult]) -> str:
    rows = [
        {
            **{name: getattr(item, name) for name in ("label", "backend", "form", "frames", "kept")},
            **asdict(item.latency),
            **{name: getattr(item, name) for name in ("frame_ms", "throughput", "ratio")},
        }
        for item in results
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
