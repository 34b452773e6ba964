"""A benchmark's pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ptfan.engine.bench.result import BenchResult
from ptfan.engine.bench.subject import network_label

__all__ = ["check_plots", "draw_plots", "new_figure"]

MOST = 12
"""Networks whose latencies are drawn; more would not be read."""
GROUP = 0.8
"""Width of a group of bars, of the distance to the next."""
MOST_VIDEOS = 6
"""Whole videos whose stages are drawn beside each other."""


def check_plots() -> None:
    """Check that plots can be drawn, before the work that they are to show.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib.figure  # noqa: F401


def draw_plots(folder: Path, result: BenchResult) -> list[Path]:
    """Draw what there are figures for: `latency.png`, `stages.png`, `sizes.png`, `clips.png`, `streams.png`.

    Returns:
        The files.
    """
    plots = {
        "latency": _draw_latency,
        "stages": _draw_stages if 0 < len(result.videos) <= MOST_VIDEOS else None,
        "sizes": _draw_sizes if len({item.size for item in result.videos}) > 1 else None,
        "clips": _draw_clips if len({item.length for item in result.clips}) > 1 else None,
        "streams": _draw_streams if len({item.streams for item in result.networks}) > 1 else None,
    }
    return [_save(folder / f"{name}.png", draw(result)) for name, draw in plots.items() if draw is not None]


def _save(path: Path, figure: Any) -> Path:
    figure.savefig(path, dpi=110)
    return path


def new_figure(machine: Mapping[str, str], height: float) -> Any:
    """Return an empty figure of matplotlib, 8 by `height` inches, whose title says what was measured on."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, height), layout="constrained")
    figure.suptitle(f"{machine['processor']}, {machine['cores']} cores, {machine['date']}", fontsize="small")
    return figure


def _draw_latency(result: BenchResult) -> Any:
    shown = result.networks[:MOST]
    figure = new_figure(result.machine, 1 + 1.4 * len(shown))
    for item, axes in zip(shown, figure.subplots(len(shown), 1, squeeze=False)[:, 0], strict=True):
        axes.hist(item.times, bins=30, color="tab:blue", alpha=0.7)
        for name, style in (("median", "-"), ("p90", "--"), ("p99", ":")):
            value = getattr(item.latency, name)
            axes.axvline(value, color="black", linestyle=style, label=f"{name} {value:.1f} ms")
        axes.set_title(item.label if item.latency.steady else f"{item.label} (unsteady)", fontsize="small", loc="left")
        axes.set_ylabel("calls")
        axes.legend(fontsize="x-small")
    axes.set_xlabel("milliseconds a call")
    return figure


def _draw_stages(result: BenchResult) -> Any:
    figure = new_figure(result.machine, 4)
    axes = figure.subplots()
    stages = list(result.videos[0].stages)
    width = GROUP / len(result.videos)
    for place, video in enumerate(result.videos):
        at = _places(place, len(result.videos), len(stages))
        label = f"{video.label}: {video.fps:.1f} frames/s"
        axes.bar(at, [video.stages[name] for name in stages], width, label=label)
    axes.set_xticks(range(len(stages)), stages)
    axes.set(ylabel="milliseconds a frame; stages overlap")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def _places(place: int, members: int, groups: int) -> list[float]:
    """Return where one of the members of each group of bars stands, the groups one apart."""
    return [group + (place - (members - 1) / 2) * GROUP / members for group in range(groups)]


def _draw_sizes(result: BenchResult) -> Any:
    figure = new_figure(result.machine, 4)
    axes = figure.subplots()
    models = list(dict.fromkeys(item.model for item in result.videos))
    sizes = list(dict.fromkeys(item.size for item in result.videos))
    width = GROUP / len(models)
    for place, model in enumerate(models):
        speeds = [item.fps for item in result.videos if item.model == model]
        at = _places(place, len(models), len(sizes))
        axes.bar_label(axes.bar(at, speeds, width, label=model), fmt="%.3g", fontsize="x-small")
    axes.set_xticks(range(len(sizes)), [size or "as it is" for size in sizes])
    axes.set(ylabel="frames a second, from file to file")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def _draw_clips(result: BenchResult) -> Any:
    figure = new_figure(result.machine, 4)
    axes = figure.subplots()
    for label in dict.fromkeys(item.label for item in result.clips):
        shown = [item for item in result.clips if item.label == label]
        at, whole = [item.length for item in shown], [item.frame_ms for item in shown]
        (line,) = axes.plot(at, whole, marker="o", label=label)
        if any(item.flush_ms for item in shown):
            without = [item.frame_ms - item.flush_ms for item in shown]
            axes.plot(at, without, linestyle="--", color=line.get_color(), label=f"{label}, without the flush")
    lengths = sorted({item.length for item in result.clips})
    axes.set_xscale("log")
    axes.set_xticks(lengths, lengths)
    axes.set_xticks([], minor=True)
    axes.set(xlabel="frames of the clip", ylabel="milliseconds a frame", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def _draw_streams(result: BenchResult) -> Any:
    figure = new_figure(result.machine, 4)
    axes = figure.subplots()
    stepped = [item for item in result.networks if item.form == "step"]
    lines: dict[tuple[str, tuple[int, int]], list[tuple[int, float]]] = defaultdict(list)
    for item in stepped:
        lines[item.model, item.size].append((item.streams, item.throughput))
    for (model, size), points in lines.items():
        axes.plot(*zip(*sorted(points), strict=True), marker="o", label=network_label(model, size))
    counts = sorted({item.streams for item in stepped})
    axes.set_xticks(counts, counts)
    axes.set(xlabel="streams in a batch", ylabel="finished frames a second, all streams", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure
