from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import pytest

from ptfan.training.evaluation.journal import Score
from ptfan.training.evaluation.report import clip_table, draw_tradeoff, mean_tables, means, write_scores


def scores() -> list[Score]:
    return [
        Score("1", "bear", "box", "telea", 10, {"psnr_hole": 20.0, "warp_hole": 0.002, "seconds": 0.1}),
        Score("2", "bear", "box", "s", 10, {"psnr_hole": 25.0, "warp_hole": 0.001, "seconds": 0.2}),
        Score("3", "camel", "box", "telea", 30, {"psnr_hole": 10.0, "warp_hole": 0.004, "seconds": 0.3}),
        Score("4", "camel", "box", "s", 30, {"psnr_hole": math.inf, "warp_hole": math.nan, "seconds": 0.2}),
    ]


def test_means_weigh_pictures_by_frames_and_clips_by_one() -> None:
    telea, mine = means(scores(), {("box", "s"): 0.1234})
    assert (telea.kind, telea.method, telea.clips) == ("box", "telea", 2)
    assert telea.values == pytest.approx({"psnr_hole": 12.5, "warp_hole": 0.003, "seconds": 0.2})
    assert mine.values == pytest.approx({"psnr_hole": math.inf, "warp_hole": 0.001, "vfid": 0.1234, "seconds": 0.2})


def test_the_table_by_hand() -> None:
    assert mean_tables(means(scores(), {("box", "s"): 0.1234})).splitlines() == [
        "### box (2 clips)",
        "",
        "| method | PSNR hole | VFID | warp hole e-3 | s a frame |",
        "|---|---:|---:|---:|---:|",
        "| telea | 12.50 | – | 3.00 | **0.200** |",
        "| s | **inf** | **0.123** | **1.00** | **0.200** |",
    ]


def test_the_clips_table_has_a_row_for_each_score() -> None:
    lines = clip_table(scores()).splitlines()
    assert len(lines) == 2 + 4
    assert lines[2] == "| bear | box | telea | 20.00 | 2.00 | 0.100 |"
    assert lines[5] == "| camel | box | s | inf | – | 0.200 |"


def test_json_is_strict_and_complete(tmp_path: Path) -> None:
    write_scores(tmp_path / "scores.json", {"protocol": "folder"}, means(scores(), {}), scores())
    content = json.loads((tmp_path / "scores.json").read_text())
    assert content["protocol"] == "folder"
    assert content["means"][1]["values"]["psnr_hole"] == "inf"
    assert content["scores"][3]["values"] == {"psnr_hole": "inf", "warp_hole": None, "seconds": 0.2}


def test_the_plot_has_a_panel_for_each_kind(tmp_path: Path) -> None:
    other = [Score(s.key, s.clip, "text", s.method, s.frames, {"seconds": 0.1}) for s in scores()]
    draw_tradeoff(means(scores(), {}), tmp_path / "one.png")
    draw_tradeoff(means([*scores(), *other], {}), tmp_path / "two.png")
    one, two = (cv2.imread(str(tmp_path / name)) for name in ("one.png", "two.png"))
    assert one is not None
    assert two is not None
    assert two.shape[1] == pytest.approx(2 * one.shape[1], abs=2)
