from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.progress import NoProgress
from ptfan.training.data.clip_cache import CachedClip, ClipCache
from ptfan.training.data.datasets import open_dataset

SIZE = (48, 32)
Write = Callable[..., None]


def plain(value: int, frames: int = 4) -> list[NDArray[np.uint8]]:
    return [np.full((*SIZE[::-1], 3), value + t, np.uint8) for t in range(frames)]


@pytest.fixture
def folder(tmp_path: Path, write_video: Write) -> Path:
    videos = tmp_path / "videos"
    videos.mkdir()
    for number, name in enumerate(("b", "a", "c")):
        write_video(videos / f"{name}.mp4", plain(40 * number))
    (videos / "a_mask").mkdir()
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[3:9, 4:12] = 255
    cv2.imwrite(str(videos / "a_mask/00000.png"), mask)
    return videos


def test_a_cache_holds_every_video_once_decoded(folder: Path, tmp_path: Path) -> None:
    cache = ClipCache.build(open_dataset(folder), tmp_path / "cache")
    assert cache.names() == ["a", "b", "c"]
    for path, value in zip(cache.clips, (40, 0, 80), strict=True):
        clip = np.load(path)
        assert clip.shape == (4, 32, 48, 3)
        assert clip.dtype == np.uint8
        assert abs(int(clip[0, 0, 0, 0]) - value) <= 2
    before = [path.stat().st_mtime_ns for path in cache.clips]
    again = ClipCache.build(open_dataset(folder), tmp_path / "cache")
    assert again == cache
    assert [path.stat().st_mtime_ns for path in again.clips] == before
    assert not list((tmp_path / "cache").glob("*partial*"))


def test_masks_come_along(folder: Path, tmp_path: Path) -> None:
    entries = ClipCache.build(open_dataset(folder), tmp_path / "cache").entries()
    masks = entries[0].masks()
    assert masks is not None
    assert masks.shape == (4, *SIZE[::-1])
    assert (masks > 0).sum() == 4 * 48
    assert entries[1].masks() is None


@pytest.mark.parametrize("damage", ["source", "short", "no note", "other note", "no array", "masks gone"])
def test_an_entry_that_does_not_fit_is_decoded_again(
    folder: Path, tmp_path: Path, write_video: Write, damage: str
) -> None:
    entry = ClipCache.build(open_dataset(folder), tmp_path / "cache").entries()[0]
    if damage == "source":
        write_video(folder / "a.mp4", plain(200, frames=6))
        os.utime(folder / "a.mp4", (1, 1))
    elif damage == "short":
        entry.path.write_bytes(entry.path.read_bytes()[:-50])
    elif damage == "no note":
        entry.note_path.unlink()
    elif damage == "other note":
        entry.note_path.write_text("[1", encoding="utf-8")
    elif damage == "no array":
        entry.path.write_bytes(b"nothing")
    else:
        entry.mask_path.unlink()
    again = ClipCache.build(open_dataset(folder), tmp_path / "cache").entries()[0]
    frames, masks = again.frames(), again.masks()
    assert frames.shape[0] == (6 if damage == "source" else 4)
    assert abs(int(frames[0, 0, 0, 0]) - (200 if damage == "source" else 40)) <= 2
    assert masks is not None
    assert len(masks) == len(frames)


def test_scenes_end_at_cuts(tmp_path: Path, write_video: Write) -> None:
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos/cut.mp4", plain(10) + plain(200, frames=8))
    entry = ClipCache.build(open_dataset(tmp_path / "videos"), tmp_path / "cache").entries()[0]
    assert entry.note()["cuts"] == [4]
    assert entry.scenes() == [range(4), range(4, 12)]
    assert entry.scenes([9, 4]) == [range(4), range(4, 9), range(9, 12)]


def test_an_array_put_there_by_hand_is_one_scene(tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", np.zeros((5, 8, 8, 3), np.uint8))
    entry = CachedClip(tmp_path / "clip.npy")
    assert (entry.name, entry.fingerprint(), entry.masks()) == ("clip", "", None)
    assert entry.scenes() == [range(5)]


def test_large_clips_are_kept_small(folder: Path, tmp_path: Path) -> None:
    large = ClipCache.build(open_dataset(folder), tmp_path / "cache").entries()[0]
    assert large.frames().shape == (4, 32, 48, 3)
    small = ClipCache.build(open_dataset(folder, longest=24), tmp_path / "cache").entries()[0]
    assert small.frames().shape == (4, 16, 24, 3)
    masks = small.masks()
    assert masks is not None
    assert masks.shape == (4, 16, 24)


def test_a_clip_need_not_fit_into_memory(tmp_path: Path, write_video: Write) -> None:
    (tmp_path / "videos").mkdir()
    frames = [np.full((240, 320, 3), t, np.uint8) for t in range(60)]
    write_video(tmp_path / "videos/long.mp4", frames)
    tracemalloc.start()
    try:
        entry = ClipCache.build(open_dataset(tmp_path / "videos"), tmp_path / "cache").entries()[0]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert entry.frames().shape == (60, 240, 320, 3)
    assert np.array_equal(entry.frames(), open_dataset(tmp_path / "videos").clips[0].read())
    assert peak < entry.frames().nbytes / 2


def test_all_clips_that_cannot_be_read_are_told_at_once(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "c"):
        (folder / f"{name}.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match=r"clip .*a\.mp4: cannot be decoded .*; neither can: c$"):
        ClipCache.build(open_dataset(folder), tmp_path / "cache")
    (folder / "a.mp4").unlink()
    with pytest.raises(InputError, match=r"clip .*c\.mp4: cannot be decoded .*expected a video$"):
        ClipCache.build(open_dataset(folder), tmp_path / "cache")
    assert CachedClip(tmp_path / "cache/b.npy").frames().shape == (4, 32, 48, 3)  # the good one was decoded


def test_other_data_has_another_fingerprint(folder: Path, tmp_path: Path) -> None:
    whole, again = (ClipCache.build(open_dataset(folder), tmp_path / name).fingerprint() for name in ("one", "two"))
    assert whole == again
    os.utime(folder / "a.mp4", (1, 1))
    changed = ClipCache.build(open_dataset(folder), tmp_path / "one").fingerprint()
    fewer = ClipCache.build(open_dataset(folder, names={"b", "c"}), tmp_path / "one").fingerprint()
    smaller = ClipCache.build(open_dataset(folder, longest=24), tmp_path / "three").fingerprint()
    assert len({whole, changed, fewer, smaller}) == 4


class Counting(NoProgress):
    def __init__(self) -> None:
        self.told: list[object] = []

    def start(self, name: str, total: int | None, unit: str = "frames") -> None:
        self.told.append((name, total, unit))

    def advance(self) -> None:
        self.told.append("one")

    def finish(self) -> None:
        self.told.append("end")


def test_how_far_decoding_is_can_be_seen(folder: Path, tmp_path: Path) -> None:
    ClipCache.build(open_dataset(folder, names={"a"}), tmp_path / "cache")
    first, again = Counting(), Counting()
    ClipCache.build(open_dataset(folder), tmp_path / "cache", first)
    ClipCache.build(open_dataset(folder), tmp_path / "cache", again)
    assert first.told == [("decoding", 2, "clips"), "one", "one", "end"]
    assert again.told == []
