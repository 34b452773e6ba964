"""What is drawn, by the lines and titles of the figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptfan.engine.bench import plots
from ptfan.engine.bench.clip_length import ClipResult
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


def result(*networks: NetworkResult, clips: tuple[ClipResult, ...] = ()) -> BenchResult:
    machine = dict.fromkeys(("processor", "cores", "date"), "any")
    pace = Pace(flop_per_second=1e11, bytes_per_second=1e10)
    return BenchResult(machine=machine, pace=pace, settings={}, networks=networks, clips=clips)


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
