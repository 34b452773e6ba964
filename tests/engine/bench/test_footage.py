"""Videos that are made for whole runs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfan.engine.bench.footage import Footage
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.errors import InputError
from ptfan.engine.media import open_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three images of an odd size, grey, each lighter than the one before."""
    made = tmp_path / "frames"
    made.mkdir()
    for index in range(3):
        cv2.imwrite(str(made / f"{index}.png"), np.full((31, 65, 3), 60 + 60 * index, np.uint8))
    return made


def test_a_clip_as_it_is_is_not_made_anew(tmp_path: Path) -> None:
    footage = Footage(clip=DEMO_CLIP, mask=DEMO_MASK)
    assert footage.made(tmp_path) is footage
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(("size", "found"), [(None, (64, 30)), ((128, 96), (128, 96))])
def test_it_is_scaled_and_played_again_and_again(
    size: tuple[int, int] | None, found: tuple[int, int], folder: Path, tmp_path: Path
) -> None:
    made = Footage(clip=folder, mask=DEMO_MASK, size=size, repeat=2).made(tmp_path)
    with open_source(made.clip) as source:
        assert (source.info.width, source.info.height) == found
        assert source.info.rate == 25
        means = [sample.image.mean() for sample in source]
    assert means == pytest.approx([60, 120, 180] * 2, abs=4)
    assert made.mask == DEMO_MASK


def test_a_mask_that_moves_serves_once(folder: Path) -> None:
    Footage(clip=folder, mask=folder, size=(64, 48)).check()
    with pytest.raises(InputError, match=r"has a hole for each frame; to repeat .* give one image"):
        Footage(clip=folder, mask=folder, repeat=2).check()


@pytest.mark.parametrize("size", [(65, 48), (0, 48)])
def test_a_size_that_no_video_has_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=rf"size of whole videos is {size[0]}x48, expected even"):
        Footage(clip=DEMO_CLIP, mask=DEMO_MASK, size=size)


def test_a_size_that_cannot_be_encoded_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"frames: cannot be made 40000x48 \("):
        Footage(clip=folder, mask=DEMO_MASK, size=(40000, 48)).made(tmp_path)
