from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ptfan.engine.bench.run import DEMO_REPEAT

pytest.importorskip("onnxruntime")
pytest.importorskip("matplotlib")


def test_a_small_benchmark_from_the_command_line(ptfan: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    done = ptfan(
        "bench", "--model", "s-window", "--model", "s", "--size", "32x24", "--size", "40x32", "--streams", "1",
        "--streams", "2", "--window", "4", "--window", "9", "--rounds", "2", "--length", "3", "--length", "9",
        "--runs", "1", "--threads", "1", "-o", str(folder), "--plots", "--quiet",
    )  # fmt: skip
    assert done.status == 0, done
    assert "| s, 40x32, 2 streams" in done.out
    assert (folder / "bench.md").read_text(encoding="utf-8") == done.out
    found = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    assert [item["label"] for item in found["networks"]] == [
        f"{kind.replace(',', f', {size}', 1)}"
        for size in ("32x24", "40x32")
        for kind in ("s-window,, windows of 4", "s-window,, windows of 9", "s,", "s,, 2 streams")
    ]
    for item in found["networks"]:
        assert len(item["times"]) == item["calls"] == 2
        assert item["frame_ms"] > 0
        assert (item["floor_ms"] or 0) > 0 or item["numbers"] == "int8"
    assert [(item["label"], item["length"]) for item in found["clips"]] == [
        ("s-window, 32x24", 3), ("s-window, 32x24", 9), ("s, 32x24", 3), ("s, 32x24", 9),
    ]  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {
        "bench.json", "bench.md", "bench.csv", "clips.csv", "videos.csv",
        "latency.png", "stages.png", "clips.png", "streams.png",
    }  # fmt: skip
    assert [video["model"] for video in found["videos"]] == ["s-window", "s"]
    for video in found["videos"]:
        assert video["frames"] == DEMO_REPEAT * 55
        assert video["realtime"] == pytest.approx(video["fps"] / 25)
        assert 5e7 < video["memory"] < 3e9
        assert {"decode", "prepare", "infer", "encode"} <= video["stages"].keys()
    assert found["machine"]["processor"]
    with (folder / "bench.csv").open(encoding="utf-8") as file:
        assert [row["label"] for row in csv.DictReader(file)] == [item["label"] for item in found["networks"]]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--size", "native"), "size is native, expected WxH"),
        (("--size", "30x24"), "size is 30x24, s takes multiples of 8"),
        (("--model", "none-such"), "none-such"),
        (("--plots",), "--plots needs a folder"),
        (("-o", "/dev/null/bench"), "/dev/null/bench: cannot be made"),
        (("--clip", "a.mp4"), "whole runs need both --clip and --mask"),
    ],
)
def test_a_benchmark_that_cannot_be_is_one_line(ptfan: Callable[..., Any], arguments: Any, what: str) -> None:
    assert what in ptfan("bench", *arguments).error
