from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.training.evaluation.protocols import DAVIS_TEST, Benchmark, open_benchmark
from ptfan.training.evaluation.task import Task

SIZE = (86, 48)


def write_images(folder: Path, images: list[np.ndarray], pattern: str = "{:05d}.png") -> None:
    folder.mkdir(parents=True)
    for t, image in enumerate(images):
        assert cv2.imwrite(str(folder / pattern.format(t)), image)


def grey(value: int) -> np.ndarray:
    return np.full((*SIZE[::-1], 3), value, np.uint8)


def spot(x: int, *, black: bool = False) -> np.ndarray:
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[10:30, x : x + 20] = 255
    return 255 - mask if black else mask


@pytest.fixture
def davis(tmp_path: Path) -> Path:
    root = tmp_path / "DAVIS"
    for number, name in enumerate(("bear", "camel", "tennis", "not-a-test-clip")):
        write_images(root / "JPEGImages/480p" / name, [grey(40 * number + t) for t in range(3)], "{:05d}.jpg")
        write_images(root / "Annotations/480p" / name, [spot(10 * number + 2 * t) for t in range(3)])
    return root


@pytest.fixture
def fvi(tmp_path: Path) -> Path:
    root = tmp_path / "FVI"
    for name in ("aa", "bb"):
        write_images(root / "Test/JPEGImages" / name, [grey(5 * t) for t in range(17)], "{:05d}.jpg")
    return root


def test_the_default_number_of_frames_is_the_protocol_s(clips: Path, davis: Path, fvi: Path) -> None:
    wanted = {"folder": 40, "davis-object": None, "fvi-curve": 15}
    folders = {"folder": clips, "davis-object": davis, "fvi-curve": fvi}
    assert {name: opened(folder, name).frames for name, folder in folders.items()} == wanted


def tasks(benchmark: Benchmark) -> list[Task]:
    return [
        Task(benchmark.read(clip), kind, source(clip, place, benchmark.shape(clip)))
        for place, clip in enumerate(benchmark.clips)
        for kind, source in benchmark.sources.items()
    ]


def opened(data: Path, protocol: str, *, frames: int | None = None, seed: int = 0, ratio: int = 35) -> Benchmark:
    return open_benchmark(
        data, protocol, kinds=("box",) if protocol == "folder" else None, frames=frames, seed=seed, ratio=ratio
    )


def test_the_folder_protocol_cuts_every_kind_into_every_clip(clips: Path) -> None:
    kinds = ("box", "text", "object", "free-form")
    first, second = (tasks(open_benchmark(clips, "folder", kinds=kinds, frames=4, seed=0, ratio=35)) for _ in range(2))
    assert [(task.footage.clip, task.kind) for task in first] == [(c, k) for c in ("clip0", "clip1") for k in kinds]
    for task, again in zip(first, second, strict=True):
        assert len(task.truth) == len(task.holes) == 4
        assert task.truth[0].shape == (72, 128, 3)
        np.testing.assert_array_equal(task.holes, again.holes)
        assert all(0.01 < hole.mean() < 0.35 for hole in task.holes)


def test_davis_tests_on_its_fifty_clips_at_the_field_s_size(davis: Path) -> None:
    assert len(DAVIS_TEST) == len(set(DAVIS_TEST)) == 50
    benchmark = opened(davis, "davis-stationary")
    assert [clip.name for clip in benchmark.clips] == ["bear", "camel", "tennis"]
    assert benchmark.notes[0] == "3 of the protocol's 50 clips are in the dataset."
    first = tasks(benchmark)[0]
    assert (first.kind, len(first.truth), first.truth[0].shape) == ("stationary", 3, (240, 432, 3))


def test_published_stationary_masks_are_taken_and_grown(davis: Path) -> None:
    for name in ("bear", "camel", "tennis"):  # of the protocol's clips alone, as they are handed out
        write_images(davis / "test_masks" / name, [spot(30)] * 3)
    benchmark = opened(davis, "davis-stationary")
    assert not any("made with seed" in note for note in benchmark.notes)
    expected = cv2.resize(spot(30), (432, 240), interpolation=cv2.INTER_NEAREST)
    expected = cv2.dilate(expected, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), iterations=4) > 0
    for task in tasks(benchmark):
        np.testing.assert_array_equal(task.holes[2], expected)


def test_missing_stationary_masks_are_made_from_the_seed_and_the_report_says_so(davis: Path) -> None:
    benchmark = opened(davis, "davis-stationary", seed=3)
    assert any("made with seed 3" in note for note in benchmark.notes)
    for task in tasks(benchmark):
        np.testing.assert_array_equal(task.holes[0], task.holes[2])
        assert 0.05 <= task.holes[0].mean() <= 0.25
    assert benchmark.identity != opened(davis, "davis-stationary", seed=4).identity


@pytest.mark.parametrize("seed", range(6))
def test_objects_never_cover_their_own_clip(davis: Path, seed: int) -> None:
    benchmark = opened(davis, "davis-object", seed=seed)
    for place, (task, clip) in enumerate(zip(tasks(benchmark), benchmark.clips, strict=True)):
        own = clip.read_masks(0, 1)[0] > 0
        column = np.argwhere(task.holes[0]).mean(axis=0)[1] * SIZE[0] / 432
        assert abs(column - np.argwhere(own).mean(axis=0)[1]) > 5, place


def test_published_object_masks_are_black_in_the_hole(davis: Path) -> None:
    for number in range(4):
        write_images(davis / "random_masks/object" / f"{number:05d}", [spot(30, black=True)] * 3)
    benchmark = opened(davis, "davis-object")
    expected = cv2.resize(spot(30), (432, 240), interpolation=cv2.INTER_NEAREST) > 0
    np.testing.assert_array_equal(tasks(benchmark)[1].holes[0], expected)


@pytest.mark.parametrize(
    ("protocol", "folder", "kind"),
    [
        ("fvi-curve", "random_masks/rand_curve/15", "curve"),
        ("fvi-object", "random_masks/object_like_middle/15", "object"),
        ("fvi-stationary", "stationary_mask", "stationary"),
    ],
)
def test_fvi_masks_belong_to_clips_by_their_place(fvi: Path, protocol: str, folder: str, kind: str) -> None:
    for number in range(3):
        write_images(
            fvi / "Test" / folder / f"{number:05d}", [spot(5 + 20 * number, black=True)] * 16, "mask_{:04d}.png"
        )
    made = tasks(opened(fvi, protocol, ratio=15))
    assert [(task.footage.clip, task.kind, len(task.truth)) for task in made] == [("aa", kind, 15), ("bb", kind, 15)]
    expected = cv2.resize(spot(25), (432, 240), interpolation=cv2.INTER_NEAREST) > 0
    np.testing.assert_array_equal(made[1].holes[3], expected)


@pytest.mark.parametrize("protocol", ["fvi-curve", "fvi-object"])
def test_missing_fvi_masks_are_made_in_the_group_s_range(fvi: Path, protocol: str) -> None:
    benchmark = opened(fvi, protocol, frames=4, ratio=45)
    assert "made with seed 0" in benchmark.notes[0]
    for task in tasks(benchmark):
        assert 0.40 <= np.mean(task.holes) <= 0.50
        assert (task.holes[0] != task.holes[3]).any()


def test_errors_name_what_is_missing(tmp_path: Path, clips: Path, davis: Path) -> None:
    with pytest.raises(InputNotFoundError, match="is not a folder"):
        opened(tmp_path / "none", "folder")
    with pytest.raises(InputError, match="protocol 'mine' is not known, expected one of folder, davis-stationary"):
        opened(clips, "mine")
    with pytest.raises(
        InputError, match="holes of kind 'moon', expected some of box, text, caption, object, free-form"
    ):
        open_benchmark(clips, "folder", kinds=("moon",), frames=2, seed=0, ratio=35)
    with pytest.raises(InputError, match="protocol davis-object: brings its own holes; leave out the kinds box, text"):
        open_benchmark(davis, "davis-object", kinds=("box", "text"), frames=2, seed=0, ratio=35)
    with pytest.raises(InputError, match="ratio is 30, expected 5, 15, 25"):
        opened(davis, "davis-object", ratio=30)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/clip0.mp4").symlink_to(clips / "clip0.mp4")
    with pytest.raises(InputError, match="no folder NAME_mask"):
        open_benchmark(tmp_path / "bare", "folder", kinds=("object",), frames=2, seed=0, ratio=35)
    (davis / "JPEGImages/480p").rename(davis / "frames")
    write_images(davis / "JPEGImages/480p/unknown", [grey(0)], "{:05d}.jpg")
    with pytest.raises(InputNotFoundError, match=r"none of the protocol's clips \(bear"):
        opened(davis, "davis-object")
