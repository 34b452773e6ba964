from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfan.engine.errors import InputError
from ptfan.training.data.clips import Clip, MaskFiles
from ptfan.training.data.datasets import open_dataset
from ptfan.training.data.sample_config import MaskConfig
from ptfan.training.evaluation.holes import (
    PAUSE,
    SHOWN,
    Shape,
    box_holes,
    caption_holes,
    other_objects,
    seeded_holes,
    stored_holes,
    text_holes,
)

SHAPE = Shape(5, 128, 72)


@pytest.fixture(scope="module")
def opened(clips: Path) -> tuple[Clip, ...]:
    return open_dataset(clips).clips


def write_masks(folder: Path, masks: list[np.ndarray]) -> MaskFiles:
    folder.mkdir(exist_ok=True)
    for t, mask in enumerate(masks):
        cv2.imwrite(str(folder / f"{t:05d}.png"), mask)
    return MaskFiles(tuple(sorted(folder.iterdir())))


def test_the_box_keeps_its_proportions(opened: tuple[Clip, ...]) -> None:
    holes = box_holes(opened[0], 0, Shape(3, 432, 240))
    assert len(holes) == 3
    expected = np.zeros((240, 432), bool)
    expected[90:150, 166:266] = True
    np.testing.assert_array_equal(holes[1], expected)
    assert box_holes(opened[0], 0, SHAPE)[0].mean() == pytest.approx(expected.mean(), rel=0.1)


def test_the_text_stands_at_the_bottom(opened: tuple[Clip, ...]) -> None:
    hole = text_holes(opened[0], 0, Shape(2, 432, 240))[0]
    rows = np.nonzero(hole.any(axis=1))[0]
    assert 0.02 < hole.mean() < 0.2
    assert 160 < rows[0] < rows[-1] < 240


def test_captions_come_and_go(opened: list[Clip]) -> None:
    holes = caption_holes(opened[0], 0, Shape(40, 432, 240))
    assert [bool(hole.any()) for hole in holes] == [t % (PAUSE + SHOWN) >= PAUSE for t in range(40)]
    first, second = holes[PAUSE], holes[2 * PAUSE + SHOWN]
    assert first[195:223, 96:336].all()
    assert second.sum() > first.sum() == 28 * 240
    small = caption_holes(opened[0], 0, Shape(5, 216, 120))[4]
    assert small.mean() == pytest.approx(first.mean(), rel=0.05)


def test_seeded_holes_depend_on_seed_and_clip_alone(opened: tuple[Clip, ...]) -> None:
    config = MaskConfig(strokes=1, blobs=0, boxes=0, text=0, areas=((0.05, 0.25),))
    first = seeded_holes("free-form", config, 0)(opened[0], 0, SHAPE)
    np.testing.assert_array_equal(first, seeded_holes("free-form", config, 0)(opened[0], 7, SHAPE))
    assert 0.05 <= np.mean(first) <= 0.25
    assert (np.array(first) != seeded_holes("free-form", config, 0)(opened[1], 0, SHAPE)).any()
    assert (np.array(first) != seeded_holes("free-form", config, 1)(opened[0], 0, SHAPE)).any()


def test_objects_come_from_another_clip_and_run_back_when_they_end(opened: tuple[Clip, ...]) -> None:
    holes = other_objects(opened, 3)(opened[0], 0, SHAPE)
    assert len(holes) == 5
    assert (holes[0] != holes[1]).any()
    np.testing.assert_array_equal(holes[1], holes[3])
    np.testing.assert_array_equal(holes[0], holes[4])
    middle = np.argwhere(holes[0]).mean(axis=0)
    np.testing.assert_allclose(middle, (30, 60), atol=0.5)  # clip 1's object
    assert holes[0].sum() == pytest.approx(np.pi * 12**2, rel=0.08)  # a radius of 9, grown by 3


@pytest.mark.parametrize("offset", range(1, 7))
def test_an_object_is_never_the_clips_own(tmp_path: Path, opened: tuple[Clip, ...], offset: int) -> None:
    clips = [replace(opened[0], name=str(number), masks=None) for number in range(5)]
    for number in (0, 2, 3):
        spot = np.zeros((36, 64), np.uint8)
        spot[10:20, 10 * number : 10 * number + 8] = 255
        clips[number] = replace(clips[number], masks=write_masks(tmp_path / str(number), [spot]))
    source = other_objects(clips, offset)
    for place in range(5):
        middle = np.argwhere(source(clips[place], place, SHAPE)[0]).mean(axis=0)[1] * 64 / SHAPE.width
        assert round((middle - 3.5) / 10) in {0, 2, 3} - {place}


def test_one_clip_with_masks_is_not_enough(opened: tuple[Clip, ...]) -> None:
    with pytest.raises(InputError, match="1 of 2 clips has masks of objects, expected 2 or more"):
        other_objects([opened[0], replace(opened[1], masks=None)], 3)


def test_stored_masks_are_resized_grown_by_crosses_and_held(tmp_path: Path, opened: tuple[Clip, ...]) -> None:
    mask = np.zeros((36, 64), np.uint8)
    mask[10, 20] = 7
    files = write_masks(tmp_path / "masks", [mask, np.roll(mask, 4, axis=1)])
    holes = stored_holes([files], 0)(opened[0], 0, SHAPE)
    assert [int(hole.sum()) for hole in holes] == [4] * 5
    assert holes[0][20:22, 40:42].all()
    np.testing.assert_array_equal(holes[1], holes[4])
    grown = stored_holes([files], 4)(opened[0], 0, Shape(1, 64, 36))[0]
    y, x = np.mgrid[:36, :64]
    np.testing.assert_array_equal(grown, np.abs(y - 10) + np.abs(x - 20) <= 4)
