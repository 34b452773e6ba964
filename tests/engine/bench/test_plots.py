"""What is drawn, by the lines and titles of the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ptfan.engine.bench import plots
from ptfan.engine.bench.clip_length import ClipResult
from ptfan.engine.bench.end_to_end import VideoResult
from ptfan.engine.bench.network import NetworkResult
from ptfan.engine.bench.plots import draw_plots
from ptfan.engine.bench.result import BenchResult
from ptfan.engine.bench.subject import network_label
from ptfan.engine.bench.work import Pace
from tests.engine.bench.network_result import network_result

pytest.importorskip("matplotlib")


def network(model: str, streams: int, *, form: str = "step", size: tuple[int, int] = (432, 240)) -> NetworkResult:
    """Return one that takes a second a call."""
    label = network_label(model, size, streams)
    return network_result(label, (1.0, 1.0), model=model, form=form, size=size, streams=streams, kept=streams)


def video(model: str, size: str, fps: float) -> VideoResult:
    figures: dict[str, Any] = {"frames": 9, "slowest": fps, "processor": 1.0, "memory": 1, "ratio": 1.0, "rate": None}
    return VideoResult(model=model, size=size, fps=fps, stages={"infer": 1.0}, **figures)


def result(
    *networks: NetworkResult, clips: tuple[ClipResult, ...] = (), videos: tuple[VideoResult, ...] = ()
) -> BenchResult:
    machine = dict.fromkeys(("processor", "cores", "date"), "any")
    pace = Pace(flop_per_second=1e11, bytes_per_second=1e10)
    return BenchResult(machine=machine, pace=pace, settings={}, networks=networks, clips=clips, videos=videos)


def test_only_what_there_are_figures_for_is_drawn(tmp_path: Path) -> None:
    one = ClipResult(label="s", form="step", length=9, frame_ms=2, flush_ms=1, slowest_ms=3)
    assert draw_plots(tmp_path, result(network("s", 1), clips=(one,))) == [tmp_path / "latency.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["latency.png"]


@pytest.mark.parametrize("streams", [(1, 2), (4, 2)])
def test_a_line_leads_through_all_numbers_of_streams(streams: tuple[int, ...]) -> None:
    shown = [
        *(network(model, count) for model in ("s", "s-live") for count in streams),
        *(network("s", count, size=(64, 48)) for count in streams),
        network("s-window", 1, form="clip"),
    ]
    (axes,) = plots._draw_streams(result(*shown)).axes
    assert [line.get_label() for line in axes.lines] == ["s, 432x240", "s-live, 432x240", "s, 64x48"]
    for line in axes.lines:
        assert list(line.get_xdata()) == list(line.get_ydata()) == sorted(streams)


def test_clips_are_drawn_with_the_flush_and_without() -> None:
    lengths = (15, 60)
    clips = [ClipResult(label="s", form="step", length=n, frame_ms=9, flush_ms=4, slowest_ms=9) for n in lengths]
    clips += [ClipResult(label="w", form="clip", length=n, frame_ms=7, flush_ms=0, slowest_ms=7) for n in lengths]
    (axes,) = plots._draw_clips(result(network("s", 1), clips=tuple(clips))).axes
    assert {line.get_label(): list(line.get_ydata()) for line in axes.lines} == {
        "s": [9, 9],
        "s, without the flush": [5, 5],
        "w": [7, 7],
    }


def test_sizes_of_videos_stand_beside_each_other(tmp_path: Path) -> None:
    videos = [video(model, size, fps) for size, fps in (("64x48", 9), ("128x96", 4)) for model in ("s", "s-live")]
    (axes,) = plots._draw_sizes(result(network("s", 1), videos=tuple(videos))).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["64x48", "128x96"]
    assert [[bar.get_height() for bar in bars] for bars in axes.containers] == [[9, 4], [9, 4]]
    found = draw_plots(tmp_path, result(network("s", 1), videos=tuple(videos)))
    assert [path.name for path in found] == ["latency.png", "stages.png", "sizes.png"]


def test_stages_of_many_videos_are_not_drawn(tmp_path: Path) -> None:
    videos = [video("s", f"{size}x{size}", 1) for size in range(7)]
    names = [path.name for path in draw_plots(tmp_path, result(network("s", 1), videos=tuple(videos)))]
    assert names == ["latency.png", "sizes.png"]
