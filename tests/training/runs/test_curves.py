from __future__ import annotations

import json
from pathlib import Path

import cv2

from ptfan.training.runs.curves import draw_curves
from ptfan.training.runs.headline import Headline

HEADLINE = Headline("hole_psnr", "PSNR in the hole, dB", "{:.2f} dB")


def test_curves_are_drawn_of_whatever_losses_there_are(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    entries = [
        {"step": step, "rate": 1e-3, "loss": 1 / step, "style": 0.5 / step, "hole_psnr": 20.0 + step}
        for step in range(1, 30)
    ]
    entries[7]["discriminator"] = 0.3  # a loss that not every entry has
    log.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    draw_curves(log, tmp_path / "curves.png", HEADLINE)
    picture = cv2.imread(str(tmp_path / "curves.png"))
    assert picture is not None
    assert picture.shape[0] > 400
    assert (picture < 250).mean() > 0.01


def test_an_empty_log_draws_nothing(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").touch()
    for name in ("log.jsonl", "none.jsonl"):
        draw_curves(tmp_path / name, tmp_path / "curves.png", HEADLINE)
    assert not (tmp_path / "curves.png").exists()
