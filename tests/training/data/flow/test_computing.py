from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, InterruptedRunError
from ptfan.engine.prepare.flow import estimate_flows
from ptfan.engine.progress import NoProgress
from ptfan.training.data.clips import Clip
from ptfan.training.data.datasets import ClipSet, open_dataset
from ptfan.training.data.flow.cache import STEP, FlowCache
from ptfan.training.data.flow.computing import FlowMethod, choose_method, compute_flow
from ptfan.training.data.flow.files import FlowFiles

SIZE = (64, 48)
Write = Callable[..., None]


def picture(t: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(float)
    waves = [np.sin((x + 2 * t) / 5 + channel) * np.cos((y - t) / 6) for channel in range(3)]
    return (127 + 90 * np.stack(waves, axis=-1)).astype(np.uint8)


@pytest.fixture
def dataset(tmp_path: Path, write_video: Write) -> ClipSet:
    (tmp_path / "videos").mkdir()
    for name, frames in (("a", 4), ("b", 3), ("c", 3)):
        write_video(tmp_path / f"videos/{name}.mp4", [picture(t) for t in range(frames)])
    return open_dataset(tmp_path / "videos")


class Counted:
    """A method that counts, and that may stop the run after so many pairs."""

    def __init__(self, stop: threading.Event, after: int = 10**6) -> None:
        self.pairs: list[tuple[str, int]] = []
        self._stop, self._after = stop, after
        self._dis = choose_method("dis").both_ways

    def __call__(self, clip: Clip, number: int, first: Any, second: Any) -> Any:
        self.pairs.append((clip.name, number))
        if len(self.pairs) >= self._after:
            self._stop.set()
        return self._dis(clip, number, first, second)


def compute(dataset: ClipSet, folder: Path, both_ways: Any = None, *, method: str = "dis", **changes: Any) -> list[str]:
    """Compute; return what was reported."""
    said: list[str] = []
    options: dict[str, Any] = {"grid": 1, "stop": threading.Event(), **changes}
    compute_flow(
        dataset,
        FlowCache(folder),
        method=FlowMethod(method, both_ways or choose_method("dis").both_ways),
        progress=NoProgress(),
        report=said.append,
        **options,
    )
    return said


def test_the_cache_holds_what_the_runtime_estimates(dataset: ClipSet, tmp_path: Path) -> None:
    assert compute(dataset, tmp_path / "flow") == []
    cache = FlowCache(tmp_path / "flow")
    for clip in dataset.clips:
        images = [image.astype(np.float32) / np.float32(255) for image in clip.read()]
        pairs = estimate_flows(images, [np.zeros(SIZE[::-1], bool)] * len(images))
        assert cache.info(clip.name).pairs() == list(range(len(pairs)))
        stored = cache.read(clip.name, range(len(pairs)))
        for t, wanted in enumerate(pairs):
            assert np.abs(stored[t].forward * STEP - wanted.forward).max() <= STEP / 2
            assert np.abs(stored[t].backward * STEP - wanted.backward).max() <= STEP / 2
        with np.load(cache.path(clip.name)) as file:
            valid = np.unpackbits(file["valid_00001"])[: 2 * pairs[1].forward_validity.size].astype(bool)
        masks = np.stack([pairs[1].forward_validity, pairs[1].backward_validity])
        assert np.array_equal(valid.reshape(masks.shape), masks)


def test_no_flow_over_a_cut(tmp_path: Path, write_video: Write) -> None:
    (tmp_path / "videos").mkdir()
    write_video(
        tmp_path / "videos/a.mp4", [picture(t) // 8 for t in range(3)] + [picture(t) // 8 + 200 for t in range(3)]
    )
    compute(open_dataset(tmp_path / "videos"), tmp_path / "flow")
    info = FlowCache(tmp_path / "flow").info("a")
    assert (info.cuts, info.pairs()) == ((3,), [0, 1, 3, 4])


def test_a_clip_s_frames_need_not_fit_into_memory(tmp_path: Path, write_video: Write) -> None:
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos/long.mp4", [np.full((160, 240, 3), t, np.uint8) for t in range(100)])
    still = np.zeros((160, 240, 2), np.float32)
    tracemalloc.start()
    try:
        compute(open_dataset(tmp_path / "videos"), tmp_path / "flow", lambda *_: (still, still), grid=8)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    info = FlowCache(tmp_path / "flow").info("long")
    assert (info.frames, info.size, len(info.pairs())) == (100, (240, 160), 99)
    assert peak < 100 * 160 * 240 * 3 / 2


def test_a_stopped_run_goes_on(dataset: ClipSet, tmp_path: Path) -> None:
    stop = threading.Event()
    first = Counted(stop, after=4)
    with pytest.raises(InterruptedRunError, match="stopped; 1 of 3 clips are in"):
        compute(dataset, tmp_path / "flow", first, stop=stop)
    assert [path.name for path in (tmp_path / "flow").iterdir()] == ["a.npz"]
    again = Counted(threading.Event())
    compute(dataset, tmp_path / "flow", again)
    assert again.pairs == [("b", 0), ("b", 1), ("c", 0), ("c", 1)]
    compute(dataset, tmp_path / "flow", again)
    assert len(again.pairs) == 4


def test_a_crash_leaves_no_part_of_a_file(dataset: ClipSet, tmp_path: Path) -> None:
    def crash(clip: Clip, number: int, first: Any, second: Any) -> Any:
        if number == 2:
            raise RuntimeError("power is gone")
        return choose_method("dis").both_ways(clip, number, first, second)

    with pytest.raises(RuntimeError):
        compute(dataset, tmp_path / "flow", crash)
    assert list((tmp_path / "flow").iterdir()) == []


def test_damaged_and_outdated_files_are_computed_again(dataset: ClipSet, tmp_path: Path, write_video: Write) -> None:
    compute(dataset, tmp_path / "flow")
    cache = FlowCache(tmp_path / "flow")
    cache.path("a").write_bytes(cache.path("a").read_bytes()[:-100])
    write_video(tmp_path / "videos/b.mp4", [picture(t + 1) for t in range(5)])
    again = Counted(threading.Event())
    said = compute(dataset, tmp_path / "flow", again)
    assert len(said) == 1
    assert f"{cache.path('a')}: cannot be read" in said[0]
    assert {name for name, _ in again.pairs} == {"a", "b"}
    assert len(again.pairs) == 3 + 4
    assert all(cache.damage(name) is None for name in "abc")


def test_other_settings_compute_again(dataset: ClipSet, tmp_path: Path) -> None:
    compute(dataset, tmp_path / "flow")
    for changes in ({"grid": 2}, {"grid": 2, "method": "raft"}):
        again = Counted(threading.Event())
        compute(dataset, tmp_path / "flow", again, **changes)
        assert len(again.pairs) == 7


def test_flow_of_files(tmp_path: Path, write_video: Write) -> None:
    flow = np.full((*SIZE[::-1], 2), (1.5, -0.5), np.float32)
    header = np.float32(202021.25).tobytes() + np.array(SIZE, "<i4").tobytes()
    paths = []
    for end, sign in (("f", 1), ("b", -1)):
        paths.append(tmp_path / f"0_1_{end}.flo")
        paths[-1].write_bytes(header + (sign * flow).tobytes())
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos/a.mp4", [picture(0), picture(1)])
    dataset = open_dataset(tmp_path / "videos")
    method = choose_method("files").both_ways
    with pytest.raises(InputError, match=r"clip a has no \.flo files; compute its flow by --method dis"):
        compute(dataset, tmp_path / "flow", method)
    clip = Clip("a", dataset.clips[0].source, flow=FlowFiles((paths[0],), (paths[1],)))
    compute(ClipSet(dataset.root, "videos", (clip,)), tmp_path / "flow", method, method="files")
    stored = FlowCache(tmp_path / "flow").read("a", [0])[0]
    assert np.array_equal(stored.forward * STEP, flow)
    assert np.array_equal(stored.backward * STEP, -flow)
    small = Clip("a", clip.source, flow=clip.flow, longest=32)
    with pytest.raises(InputError, match="are 64x48, its frames 32x24"):
        compute(ClipSet(dataset.root, "videos", (small,)), tmp_path / "flow", method)


def test_a_method_that_does_not_exist() -> None:
    with pytest.raises(InputError, match="method 'farneback', expected one of dis, raft, files"):
        choose_method("farneback")
