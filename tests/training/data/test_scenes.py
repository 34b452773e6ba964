from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ptfan.engine.errors import InputError
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.sample_config import CutConfig, MaskConfig
from ptfan.training.data.scenes import Scenes

OBJECTS = MaskConfig(strokes=0, blobs=0, boxes=0, text=0, objects=1, areas=((0.001, 0.9),))


def clips(folder: Path, *lengths: int, cuts: tuple[int, ...] = (), masks: tuple[int, ...] = ()) -> ClipCache:
    """Cache clips of so many frames, with cuts in the first, and with an object in those that are named."""
    paths = []
    for number, length in enumerate(lengths):
        paths.append(folder / f"clip{number}.npy")
        np.save(paths[-1], np.zeros((length, 40, 56, 3), np.uint8))
        (folder / f"clip{number}.json").write_text(json.dumps({"cuts": [] if number else list(cuts)}))
        if number in masks:
            objects = np.zeros((length, 40, 56), np.uint8)
            objects[:, 10:20, 10 + number : 30] = 1
            np.save(folder / f"clip{number}.masks.npy", objects)
    return ClipCache(tuple(paths))


def config(frames: int, masks: MaskConfig | None = None) -> CutConfig:
    return CutConfig(frames=frames, size=(48, 32), masks=masks or MaskConfig())


def test_scenes_are_as_long_as_a_sample(tmp_path: Path) -> None:
    scenes = Scenes(clips(tmp_path, 10, 3, 5, cuts=(2, 6)), config(4))
    assert [(entry.name, frames) for entry, frames in scenes.all] == [
        ("clip0", range(2, 6)),
        ("clip0", range(6, 10)),
        ("clip2", range(5)),
    ]


def test_longer_scenes_are_chosen_by_the_root_of_their_length(tmp_path: Path) -> None:
    scenes = Scenes(clips(tmp_path, 90, 10), config(4))
    rng = np.random.default_rng(0)
    chosen = Counter(scenes.choose(rng)[0].name for _ in range(1000))
    assert chosen["clip0"] / chosen["clip1"] == pytest.approx(3, rel=0.15)


def test_an_object_comes_from_another_clip_if_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[list[int]] = []

    def take(rng: object, frames: int, height: int, width: int, masks: MaskConfig, **more: object) -> list[object]:
        tracks = more["tracks"]
        offered.append([int(tracks[place][0].sum()) for place in range(len(tracks))])  # type: ignore[arg-type, index]
        return []

    monkeypatch.setattr("ptfan.training.data.scenes.random_holes", take)
    for masks, wanted in (((0, 1), [190]), ((0,), [200])):
        (tmp_path / str(masks)).mkdir()
        scenes = Scenes(clips(tmp_path / str(masks), 5, 5, masks=masks), config(4, OBJECTS))
        entry, _ = scenes.all[0]
        scenes.holes(np.random.default_rng(0), entry, 4)
        assert offered.pop() == wanted


def test_clips_that_give_no_sample_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no clip has 4 frames without a cut; shorten the samples or add clips"):
        Scenes(clips(tmp_path, 6, 3, cuts=(3,)), config(4))
    with pytest.raises(InputError, match=r"masks of real objects are wanted .*, but no clip has masks"):
        Scenes(clips(tmp_path, 6), config(4, OBJECTS))
