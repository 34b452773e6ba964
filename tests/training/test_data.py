from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.flow import estimate_flows
from ptfan.engine.inputs import clip_inputs
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.data import ClipCache, ClipDataset, clip_list

CHANNELS = {"frames": 3, "flow_forward": 2, "flow_backward": 2, "target": 3}


@pytest.fixture
def clips(tmp_path: Path) -> Callable[..., ClipCache]:
    """Return a function that caches clips of given (frames, height, width)."""

    def build(*shapes: tuple[int, int, int]) -> ClipCache:
        rng = np.random.default_rng(0)
        paths = []
        for number, shape in enumerate(shapes):
            paths.append(tmp_path / f"clip{number}.npy")
            np.save(paths[-1], rng.integers(0, 255, (*shape, 3), np.uint8))
        return ClipCache(tuple(paths))

    return build


def dataset(cache: ClipCache, **options: Any) -> ClipDataset:
    values: dict[str, Any] = {"frames": 3, "size": (48, 32), "fill": "propagated", "seed": 1, "length": 100, **options}
    return ClipDataset(cache, **values)


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_same_index_is_the_same_sample_and_another_is_another(clips: Callable[..., ClipCache]) -> None:
    cache = clips((8, 40, 56), (5, 64, 48))
    samples = dataset(cache)
    assert len(samples) == 100
    assert equal(samples[7], samples[7])
    assert equal(samples[7], dataset(cache)[7])
    assert not torch.equal(samples[7]["target"], samples[8]["target"])
    assert not torch.equal(samples[7]["target"], dataset(cache, seed=2)[7]["target"])


@pytest.mark.parametrize("fill", ["zero", "propagated"])
@pytest.mark.parametrize("frames", [1, 4])
def test_a_sample_holds_the_network_s_inputs_and_the_target(
    clips: Callable[..., ClipCache], fill: str, frames: int
) -> None:
    for index in range(3):
        sample = dataset(clips((8, 40, 56)), fill=fill, frames=frames)[index]
        assert set(sample) == {*CLIP_INPUTS, "target"}
        for name, tensor in sample.items():
            assert tensor.shape == (frames, CHANNELS.get(name, 1), 32, 48)
            assert tensor.dtype == torch.float32
            assert tensor.isfinite().all()
        known = (sample["hole"] == 0).expand_as(sample["frames"])
        assert torch.equal(sample["frames"][known], sample["target"][known])
        assert sample["target"].min() >= 0
        assert sample["target"].max() <= 1


def test_a_sample_is_what_the_runtime_would_feed(clips: Callable[..., ClipCache]) -> None:
    sample = dataset(clips((8, 64, 80)))[0]
    images = [np.ascontiguousarray(image) for image in sample["target"].numpy().transpose(0, 2, 3, 1)]
    holes = [hole[0] > 0 for hole in sample["hole"].numpy()]
    hidden = [np.where(hole[..., None], np.float32(0.7), image) for image, hole in zip(images, holes, strict=True)]
    for name, array in clip_inputs(hidden, holes, estimate_flows(hidden, holes), fill="propagated").items():
        assert np.array_equal(sample[name].numpy(), array), name


@pytest.mark.parametrize("shape", [(3, 32, 48), (9, 200, 90), (4, 20, 30), (7, 33, 200)])
def test_clips_of_any_size_give_samples(clips: Callable[..., ClipCache], shape: tuple[int, int, int]) -> None:
    samples = dataset(clips(shape))
    for index in range(6):
        assert samples[index]["target"].shape == (3, 3, 32, 48)


def test_time_goes_both_ways_at_two_speeds_and_pictures_are_mirrored(tmp_path: Path) -> None:
    clip = np.zeros((12, 32, 48, 3), np.uint8)
    clip[:] = (10 * np.arange(12))[:, None, None, None]
    clip[:, :, :24, 1] += 100
    np.save(tmp_path / "clip.npy", clip)
    samples = dataset(ClipCache((tmp_path / "clip.npy",)))
    steps, left = set(), set()
    for index in range(60):
        target = samples[index]["target"] * 255
        steps.add(round(float(target[1, 0, 0, 0] - target[0, 0, 0, 0]) / 10))
        left.add(float(target[0, 1, 16, 0] - target[0, 0, 16, 0]) > 50)
        assert float(target[2, 0, 0, 0] - target[1, 0, 0, 0]) == pytest.approx(
            float(target[1, 0, 0, 0] - target[0, 0, 0, 0]), abs=0.01
        )
    assert steps == {-2, -1, 1, 2}
    assert left == {True, False}


def test_short_clips_are_left_out(clips: Callable[..., ClipCache]) -> None:
    cache = clips((2, 40, 56), (6, 40, 56))
    assert len(dataset(cache)._clips) == 1
    with pytest.raises(InputError, match="no clip has 7 frames"):
        dataset(cache, frames=7)


def write_video(path: Path, frames: list[NDArray[np.uint8]]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "0"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    videos = tmp_path / "videos"
    videos.mkdir()
    for number, name in enumerate(("b", "a", "c")):
        write_video(videos / f"{name}.mp4", [np.full((32, 48, 3), 40 * number + t, np.uint8) for t in range(4)])
    (videos / "notes.txt").write_text("no video", encoding="utf-8")
    return videos


def test_a_cache_holds_every_video_once_decoded(folder: Path, tmp_path: Path) -> None:
    cache = ClipCache.build(folder, tmp_path / "cache")
    assert cache.names() == ["a", "b", "c"]
    for path, value in zip(cache.clips, (40, 0, 80), strict=True):
        clip = np.load(path)
        assert clip.shape == (4, 32, 48, 3)
        assert clip.dtype == np.uint8
        assert abs(int(clip[0, 0, 0, 0]) - value) <= 2
    before = [path.stat().st_mtime_ns for path in cache.clips]
    again = ClipCache.build(folder, tmp_path / "cache")
    assert again == cache
    assert [path.stat().st_mtime_ns for path in again.clips] == before
    assert not list((tmp_path / "cache").glob("*partial*"))


def test_a_cache_of_named_clips(folder: Path, tmp_path: Path) -> None:
    assert ClipCache.build(folder, tmp_path / "cache", frozenset({"c", "a"})).names() == ["a", "c"]
    with pytest.raises(InputNotFoundError, match="lacks 2 named clips, first x"):
        ClipCache.build(folder, tmp_path / "cache", frozenset({"a", "y", "x"}))


def test_a_folder_that_is_none_or_has_no_video(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="is not a folder"):
        ClipCache.build(tmp_path / "none", tmp_path / "cache")
    with pytest.raises(InputError, match="no video"):
        ClipCache.build(tmp_path, tmp_path / "cache")


def test_lists_of_clips(tmp_path: Path) -> None:
    path = tmp_path / "list"
    assert clip_list(None) is None
    with pytest.raises(InputNotFoundError, match="list of clips"):
        clip_list(path)
    for text in ("a\n  b \r\n\n", '["a", "b"]'):
        path.write_text(text, encoding="utf-8")
        assert clip_list(path) == frozenset({"a", "b"})
    path.write_text('["a",', encoding="utf-8")
    with pytest.raises(InputError, match="is no JSON array"):
        clip_list(path)
