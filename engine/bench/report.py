"""A benchmark's files: JSON with everything, CSV, and tables to read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ptfan.engine.atomic import write_atomically
from ptfan.engine.bench.clip_length import ClipResult
from ptfan.engine.bench.end_to_end import VideoResult
from ptfan.engine.bench.network import WARM_UP, NetworkResult
from ptfan.engine.bench.result import BenchResult

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
MIXED = "The networks compute with different numbers"


def bench_tables(result: BenchResult) -> str:
    """Return the tables as Markdown."""
    lines = [*_conditions(result), "", *_network_table(result.networks)]
    if any(not item.latency.steady for item in result.networks):
        lines += ["", f"\\* {NOTE}."]
    numbers = dict.fromkeys(item.numbers for item in result.networks)
    if len(numbers) > 1:
        lines += ["", f"{MIXED} ({', '.join(numbers)}): ratios, also of whole videos, tell of these as well."]
    lines += ["", *_work_table(result)]
    if result.clips:
        lines += ["", *_clip_table(result.clips)]
    if result.videos:
        lines += ["", *_video_table(result.videos)]
    return "\n".join(lines) + "\n"


def write_bench(folder: Path, result: BenchResult) -> None:
    """Write `bench.json`, `bench.md`, and as CSV `bench.csv`, `clips.csv` and `videos.csv`, those that have rows.

    Args:
        folder: where to; it is there.
        result: what to write.

    Raises:
        OutputError: the folder cannot be written to.
    """
    networks = [_network_row(result, item) for item in result.networks]
    clips = [asdict(item) for item in result.clips]
    videos = [{**asdict(item), "realtime": item.realtime} for item in result.videos]
    everything = {
        "machine": dict(result.machine),
        "pace": asdict(result.pace),
        "settings": {**result.settings, "warm_up": WARM_UP},
        "networks": [{**row, "times": item.times} for row, item in zip(networks, result.networks, strict=True)],
        "clips": clips,
        "videos": videos,
    }
    write_atomically(folder / "bench.json", (json.dumps(everything, indent=1) + "\n").encode())
    write_atomically(folder / "bench.md", bench_tables(result).encode())
    for name, rows in (("bench", networks), ("clips", clips), ("videos", [_flat(row) for row in videos])):
        if rows:
            write_atomically(folder / f"{name}.csv", _csv(rows).encode())


def _conditions(result: BenchResult) -> list[str]:
    machine, pace = result.machine, result.pace
    return [
        f"{machine['processor']}, {machine['cores']} cores, {machine['date']}; clock {machine['clock']}; load before "
        f"{machine['load before']}. {WARM_UP} calls of each network before those that count.",
        f"Alone, a product of matrices runs at {pace.flop_per_second / 1e9:.0f} GFLOP/s here (fp32), a copy at "
        f"{pace.bytes_per_second / 1e9:.0f} GB/s.",
    ]


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


def _work_table(result: BenchResult) -> list[str]:
    head = "| network | GFLOP a frame | MB a frame | GFLOP/s | floor, ms | ms a frame | times the floor |"
    rows = []
    for item in result.networks:
        floor, work = result.floor_ms(item), item.work
        flop = [work.flop / 1e9, work.bytes / 1e6, work.flop / item.frame_ms / 1e6]
        cells = [f"{flop[0]:.2f}", f"{flop[1]:.1f}", f"{flop[2]:.0f}"] if work.flop else ["-", f"{flop[1]:.1f}", "-"]
        cells += ["-" if floor is None else f"{floor:.1f}", f"{item.frame_ms:.1f}"]
        cells += ["-" if floor is None else f"{item.frame_ms / floor:.1f}"]
        rows.append(f"| {item.label} | {' | '.join(cells)} |")
    told = (
        "Convolutions of a finished frame, and weights, inputs, outputs and states read or written once; the floor is "
        "what the longer of the two takes at the pace above; none is told of int8 and bf16, which that pace is not of."
    )
    return [told, "", head, _rule(head), *rows]


def _clip_table(results: Sequence[ClipResult]) -> list[str]:
    lengths = sorted({item.length for item in results})
    found = {(item.label, item.length): item for item in results}
    head = f"| network | {' | '.join(f'{length} frames' for length in lengths)} |"
    rows = [
        f"| {label} | {' | '.join(_clip_cell(found[label, length]) for length in lengths)} |"
        for label in dict.fromkeys(item.label for item in results)
    ]
    told = "Milliseconds a frame in clips of several lengths; after the +, what the flush at the end adds to them."
    return [told, "", head, _rule(head), *rows]


def _clip_cell(item: ClipResult) -> str:
    flush = f" + {item.flush_ms:.1f}" if item.flush_ms else ""
    return f"{item.frame_ms - item.flush_ms:.1f}{flush}"


def _video_table(results: Sequence[VideoResult]) -> list[str]:
    stages = list(results[0].stages)
    head = (
        "| whole video | frames | frames/s | times real time | slowest run | memory, MB | "
        f"{' | '.join(stages)} | CPU | ratio |"
    )
    rows = []
    for item in results:
        figures = [f"{item.fps:.1f}", "-" if item.realtime is None else f"{item.realtime:.2f}", f"{item.slowest:.1f}"]
        figures += [f"{item.memory / 1e6:.0f}", *(f"{item.stages[name]:.1f}" for name in stages)]
        figures += [f"{item.processor:.1f}", f"{item.ratio:.2f}"]
        rows.append(f"| {item.label} | {item.frames} | {' | '.join(figures)} |")
    told = "Stages in milliseconds a frame; they overlap. *CPU* is the work of all cores together, likewise."
    return [told, "", head, _rule(head), *rows]


def _rule(head: str) -> str:
    return "|---" * (head.count("|") - 1) + "|"


def _network_row(result: BenchResult, item: NetworkResult) -> dict[str, object]:
    work = {"flop": item.work.flop, "bytes": item.work.bytes, "floor_ms": result.floor_ms(item)}
    return {
        **{name: getattr(item, name) for name in ("label", "backend", "form", "numbers", "streams", "frames", "kept")},
        "width": item.size[0],
        "height": item.size[1],
        **asdict(item.latency),
        "steady": item.latency.steady,
        **{name: getattr(item, name) for name in ("frame_ms", "throughput", "ratio")},
        **work,
    }


def _flat(row: Mapping[str, object]) -> dict[str, object]:
    stages = row["stages"]
    assert isinstance(stages, dict)
    return {**{name: value for name, value in row.items() if name != "stages"}, **stages}


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
