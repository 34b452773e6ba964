from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.frame import Box
from ptfan.engine.pictures.picture import encode_png
from ptfan.engine.preview import preview


def test_a_preview_needs_nothing_that_runs_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = preview(DEMO_CLIP, 1, mask=DEMO_MASK)
    assert found.time >= 1
    assert 0 < found.share < 0.1
    assert len(found.crops) == 1


def test_without_a_hole_there_is_a_grid() -> None:
    found = preview(DEMO_CLIP)
    assert (found.index, found.share, found.crops) == (0, 0.0, ())


def test_a_folder_of_images_goes_at_the_rate_that_is_given(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(encode_png(np.full((32, 32, 3), number, np.uint8)))
    assert preview(tmp_path, 1, rate=2).index == 2
    assert preview(tmp_path, 1.5, rate="2").index == 3


def test_crops_lie_round_the_boxes() -> None:
    box = Box(40, 30, 60, 20)
    (crop,) = preview(DEMO_CLIP, boxes=[box]).crops
    assert crop.common(box) == box
