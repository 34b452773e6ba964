from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.models import flow_model
from ptfan.engine.prepare.completions import Completions
from ptfan.engine.prepare.flow import FlowPair, estimate_flows
from ptfan.engine.prepare.flow_completion import LearnedFlow
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.prepare.validity import validity
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.data.clip_cache import CachedClip, ClipCache
from ptfan.training.data.flow.cache import FlowCache, FlowInfo, encode_pair
from ptfan.training.data.sample_config import FVI_AREAS, MaskConfig, SampleConfig
from ptfan.training.data.samples import ClipDataset

CHANNELS = {"frames": 3, "flow_forward": 2, "flow_backward": 2, "target": 3}
OPTIONS = {"fill": "propagated", "seed": 1, "length": 100}
Sample = dict[str, torch.Tensor]


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


def dataset(cache: ClipCache, flow: FlowCache | None = None, **values: Any) -> ClipDataset:
    options = {name: values.pop(name, value) for name, value in OPTIONS.items()}
    config = SampleConfig(**{"frames": 3, "size": (48, 32), **values})
    return ClipDataset(cache, config, flow=flow, **options)


def equal(a: Sample, b: Sample) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def images_of(sample: Sample) -> list[NDArray[np.float32]]:
    return [np.ascontiguousarray(image) for image in sample["target"].numpy().transpose(0, 2, 3, 1)]


def test_the_same_index_is_the_same_sample_and_another_is_another(clips: Callable[..., ClipCache]) -> None:
    cache = clips((8, 40, 56), (5, 64, 48))
    samples = dataset(cache)
    assert len(samples) == 100
    assert equal(samples[7], samples[7])
    assert equal(samples[7], dataset(cache)[7])
    assert not torch.equal(samples[7]["target"], samples[8]["target"])
    assert not torch.equal(samples[7]["target"], dataset(cache, seed=2)[7]["target"])


def test_a_worker_gets_no_copy_of_the_clips(clips: Callable[..., ClipCache]) -> None:
    samples = dataset(clips((30, 64, 96)))
    sent = pickle.dumps(samples)
    assert len(sent) < 5000
    assert equal(pickle.loads(sent)[3], samples[3])


@pytest.mark.parametrize("fill", ["zero", "propagated"])
@pytest.mark.parametrize("options", [{"frames": 1}, {"frames": 4}, {"frames": 2, "history": 3, "future": 1}])
def test_a_sample_holds_the_network_s_inputs_and_the_target(
    clips: Callable[..., ClipCache], fill: str, options: dict[str, Any]
) -> None:
    frames = options["frames"]
    for index in range(3):
        sample = dataset(clips((8, 40, 56)), fill=fill, **options)[index]
        assert set(sample) == {*CLIP_INPUTS, "target"}
        for name, tensor in sample.items():
            assert tensor.shape == (frames, CHANNELS.get(name, 1), 32, 48)
            assert tensor.dtype == torch.float32
            assert tensor.isfinite().all()
        known = (sample["hole"] == 0).expand_as(sample["frames"])
        assert torch.equal(sample["frames"][known], sample["target"][known])
        assert sample["target"].min() >= 0
        assert sample["target"].max() <= 1
        assert not sample["flow_forward"][-1].any()
        assert not sample["flow_backward"][0].any()


@pytest.mark.parametrize("colours", ["learned", "smooth"])
@pytest.mark.parametrize(("complete", "completion"), [(0.0, "learned"), (0.0, "smooth"), (1.0, "learned")])
def test_a_sample_is_what_the_runtime_would_feed(
    clips: Callable[..., ClipCache], complete: float, completion: Any, colours: Any
) -> None:
    sample = dataset(clips((8, 64, 80)), complete_flow=complete, flow_completion=completion, colour_completion=colours)[
        0
    ]
    images = images_of(sample)
    holes = [hole[0] > 0 for hole in sample["hole"].numpy()]
    hidden = [np.where(hole[..., None], np.float32(0.7), image) for image, hole in zip(images, holes, strict=True)]
    if complete:
        flows = estimate_flows(images, [np.zeros_like(hole) for hole in holes])
    elif completion == "smooth":
        flows = estimate_flows(hidden, holes)
    else:
        with open_runner(flow_model(), threads=1) as runner:
            flows = estimate_flows(hidden, holes, completion=LearnedFlow(runner))
    with Completions.open("smooth", colours, "propagated") as completions:
        inputs = clip_inputs(hidden, holes, flows, fill="propagated", colours=completions.colours)
    for name, array in inputs.items():
        assert np.array_equal(sample[name].numpy(), array), name


def test_both_flows_in_one_sequence(clips: Callable[..., ClipCache]) -> None:
    samples = dataset(clips((8, 64, 80)), complete_flow=0.5)
    complete = 0
    for index in range(12):
        images = images_of(samples[index])
        flows = estimate_flows(images, [np.zeros(image.shape[:2], bool) for image in images])
        complete += np.array_equal(samples[index]["flow_forward"][0].numpy(), flows[0].forward.transpose(2, 0, 1))
    assert 2 <= complete <= 10


def waves(folder: Path, frames: int = 40) -> ClipCache:
    """Return one clip of a smooth pattern that moves."""
    y, x = np.mgrid[0:40, 0:56]
    pictures = [np.sin((x + 2 * t) / 6) * np.cos((y - t) / 7) for t in range(frames)]
    np.save(folder / "waves.npy", (127 + 100 * np.stack([pictures] * 3, axis=-1)).astype(np.uint8))
    return ClipCache((folder / "waves.npy",))


def test_history_is_carried_as_in_one_long_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow reference: the network's inputs of all frames as one clip, of which the sample is cut out."""
    lengths = []

    def slowly(images: Any, *rest: Any) -> dict[str, NDArray[np.float32]]:
        lengths.append(len(images))
        return cut_out(images, *rest)

    # Guesses settle among the frames of a sample alone; what is carried comes from further away.
    monkeypatch.setattr("ptfan.engine.prepare.settling.Guesses.settled", lambda guesses, *rest: guesses.filled)
    samples = dataset(waves(tmp_path), frames=4, history=6, future=2)
    fast = [samples[index] for index in range(12)]
    monkeypatch.setattr("ptfan.training.data.samples._windowed_inputs", slowly)
    for index in range(12):
        assert equal(fast[index], samples[index])
    assert max(lengths) == 12


def cut_out(
    images: Any, holes: Any, flows: Any, shown: range, fill: Any, colours: Any
) -> dict[str, NDArray[np.float32]]:
    whole = clip_inputs(images, holes, flows, fill, colours=colours)
    return {name: array[shown.start : shown.stop] for name, array in whole.items()}


@pytest.mark.parametrize("lookahead", [0, 2])
def test_a_sample_of_a_stream_that_does_not_wait(tmp_path: Path, lookahead: int) -> None:
    options: dict[str, Any] = {"frames": 4, "history": 3, "future": 3, "flow_completion": "smooth"}
    samples, windows = dataset(waves(tmp_path), lookahead=lookahead, **options), dataset(waves(tmp_path), **options)
    differ = 0
    for index in range(6):
        sample, window = samples[index], windows[index]
        assert torch.equal(sample["target"], window["target"])
        assert torch.equal(sample["hole"], window["hole"])
        assert torch.equal(sample["flow_backward"], window["flow_backward"])
        assert sample["flow_forward"].any() == (lookahead > 0)
        assert (sample["guidance"] <= window["guidance"] + 1e-6).all()
        differ += not torch.equal(sample["frames"], window["frames"])
    assert differ


def test_history_shows_what_a_short_clip_cannot(tmp_path: Path) -> None:
    """At the start of a sample, only its history knows what stood in the hole before."""
    cache, masks = waves(tmp_path), MaskConfig(strokes=0, blobs=0, text=0, still=1.0)
    reached, faint = [], []
    for history in (0, 6):
        settings: dict[str, Any] = {"frames": 2, "flow_completion": "smooth", "double_speed": 0.0}
        samples = dataset(cache, history=history, masks=masks, **settings)
        inside = [sample["guidance"][sample["hole"] > 0] for sample in (samples[index] for index in range(10))]
        reached.append(np.mean([float((confidence > 0).float().mean()) for confidence in inside]))
        faint.append(np.mean([float(((confidence > 0) & (confidence < 0.75)).float().mean()) for confidence in inside]))
    assert reached[1] > 1.5 * reached[0]
    assert faint[1] > 3 * faint[0]


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
    for index in range(30):
        target = samples[index]["target"] * 255
        steps.add(round(float(target[1, 0, 0, 0] - target[0, 0, 0, 0]) / 10))
        left.add(float(target[0, 1, 16, 0] - target[0, 0, 16, 0]) > 50)
        assert float(target[2, 0, 0, 0] - target[1, 0, 0, 0]) == pytest.approx(
            float(target[1, 0, 0, 0] - target[0, 0, 0, 0]), abs=0.01
        )
    assert steps == {-2, -1, 1, 2}
    assert left == {True, False}


def test_plain_samples_show_nothing_but_areas(clips: Callable[..., ClipCache]) -> None:
    usual, plain = (dataset(clips((8, 40, 56)), plain=share) for share in (0.0, 1.0))
    colours = []
    for index in range(6):
        target = plain[index]["target"].numpy()
        steps = np.abs(np.diff(target, axis=3)).max()
        assert steps < 0.2 * np.abs(np.diff(usual[index]["target"].numpy(), axis=3)).max()
        assert target.min() >= 0
        assert target.max() <= 1
        colours.append(target.mean(axis=(0, 2, 3)))
    assert np.std(colours, axis=0).min() > 0.05
    mixed = dataset(clips((8, 40, 56)), plain=0.5)
    assert len({float(np.abs(np.diff(mixed[index]["target"].numpy(), axis=3)).max()) > 0.2 for index in range(20)}) == 2


def test_no_sample_crosses_a_cut(tmp_path: Path) -> None:
    clip = np.zeros((20, 32, 48, 3), np.uint8)
    clip[8:] = 200
    np.save(tmp_path / "clip.npy", clip)
    (tmp_path / "clip.json").write_text('{"cuts": [8]}', encoding="utf-8")
    samples = dataset(ClipCache((tmp_path / "clip.npy",)), history=4, future=4, fill="propagated")
    means = [samples[index]["frames"].mean(dim=(1, 2, 3)) for index in range(20)]
    assert all(float(mean.max() - mean.min()) < 0.01 for mean in means)
    assert {round(float(mean[0]) * 255) for mean in means} == {0, 200}


def test_short_clips_are_left_out(clips: Callable[..., ClipCache]) -> None:
    cache = clips((2, 40, 56), (6, 40, 56))
    samples = dataset(cache)
    assert {entry.name for entry, _ in samples._scenes.all} == {"clip1"}
    with pytest.raises(InputError, match="no clip has 7 frames without a cut"):
        dataset(cache, frames=7)


def test_holes_are_as_the_settings_want_them(clips: Callable[..., ClipCache]) -> None:
    samples = dataset(clips((8, 40, 56)), masks=MaskConfig(areas=FVI_AREAS[3:4]), fill="zero")
    shares = [float(samples[index]["hole"].mean()) for index in range(12)]
    assert min(shares) >= 0.35
    assert max(shares) <= 0.45


def test_objects_come_from_other_clips(clips: Callable[..., ClipCache]) -> None:
    cache = clips((8, 40, 56), (8, 40, 56))
    masks = MaskConfig(strokes=0, blobs=0, boxes=0, text=0, objects=1, areas=((0.01, 0.6),))
    with pytest.raises(InputError, match="no clip has masks"):
        dataset(cache, masks=masks)
    first, second = (CachedClip(path) for path in cache.clips)
    square, bar = np.zeros((2, 8, 40, 56), np.uint8)
    square[:, 10:20, 10:20] = 1
    bar[:, 20:24, 5:50] = 1
    np.save(first.mask_path, square)
    np.save(second.mask_path, bar)
    samples = dataset(cache, masks=masks, fill="zero")
    for index in range(12):
        rng = np.random.default_rng((1, index))
        entry, _ = samples._scenes.choose(rng)
        _, _, width, height = cv2.boundingRect(samples[index]["hole"][0, 0].numpy().astype(np.uint8))
        assert (width > 2 * height) == (entry == first) or width == 48 or height == 32


class TestCachedFlow:
    """A camera that zooms out of a smooth pattern: its flow is known, and differs from place to place."""

    ZOOM = 1.04
    FRAME = (96, 64)
    CENTRE = (35.0, 40.0)

    def grid(self) -> NDArray[np.float64]:
        return np.stack(np.meshgrid(np.arange(self.FRAME[0]), np.arange(self.FRAME[1])), axis=-1).astype(np.float64)

    def flow(self, steps: int) -> NDArray[np.float32]:
        return ((self.grid() - self.CENTRE) * (self.ZOOM**-steps - 1)).astype(np.float32)

    @pytest.fixture
    def cache(self, tmp_path: Path) -> ClipCache:
        pictures = []
        for t in range(-8, 8):
            x, y = np.moveaxis(self.CENTRE + (self.grid() - self.CENTRE) * self.ZOOM**t, -1, 0)
            waves = [np.sin(x / 5 + y / 9), np.cos(y / 4 - x / 11), np.sin(x / 7) * np.cos(y / 6)]
            pictures.append(127 + 100 * np.stack(waves, axis=-1))
        np.save(tmp_path / "zoom.npy", np.stack(pictures).astype(np.uint8))
        (tmp_path / "zoom.json").write_text('{"fingerprint": "print"}', encoding="utf-8")
        return ClipCache((tmp_path / "zoom.npy",))

    @pytest.fixture
    def stored(self, tmp_path: Path) -> FlowCache:
        forward, backward = self.flow(1), self.flow(-1)
        pair = FlowPair(forward, backward, validity(forward, backward), validity(backward, forward))
        flow = FlowCache(tmp_path / "flow")
        flow.write("zoom", FlowInfo("print", 16, self.FRAME, 2, "dis"), {t: encode_pair(pair, 2) for t in range(15)})
        return flow

    def test_flow_still_warps_right_whatever_is_augmented(self, cache: ClipCache, stored: FlowCache) -> None:
        samples = dataset(
            cache, stored, complete_flow=1.0, flip_vertical=0.5, double_speed=0.5, history=1, future=1, scale_min=0.8
        )
        for index in range(24):
            sample = samples[index]
            target, forward, backward = (
                sample[name].numpy().transpose(0, 2, 3, 1) for name in ("target", "flow_forward", "flow_backward")
            )
            for t in range(2):
                for near, other, flow, valid in (
                    (target[t], target[t + 1], forward[t], sample["validity_forward"][t, 0]),
                    (target[t + 1], target[t], backward[t + 1], sample["validity_backward"][t + 1, 0]),
                ):
                    usable = valid.numpy() > 0
                    assert usable.mean() > 0.6
                    error = np.abs(warp(other, flow) - near)[usable].mean()
                    assert error < 0.03
                    assert error < 0.5 * np.abs(other - near)[usable].mean() + 0.005

    def test_the_cache_is_what_would_be_estimated(self, cache: ClipCache, stored: FlowCache) -> None:
        options: dict[str, Any] = {"complete_flow": 1.0, "scale_max": 1.0, "frames": 2}
        ours, estimated = dataset(cache, stored, **options), dataset(cache, **options)
        differences = []
        for index in range(10):
            assert torch.equal(ours[index]["target"], estimated[index]["target"])
            assert torch.equal(ours[index]["hole"], estimated[index]["hole"])
            both = (ours[index]["validity_forward"] * estimated[index]["validity_forward"])[0] > 0
            difference = (ours[index]["flow_forward"] - estimated[index]["flow_forward"])[0].norm(dim=0)
            differences.append(float(difference[both[0]].mean()))
        assert np.mean(differences) < 0.4
        assert max(differences) < 0.6

    def test_flow_of_other_clips_is_refused(self, cache: ClipCache, stored: FlowCache) -> None:
        cache.clips[0].with_suffix(".json").write_text('{"fingerprint": "another"}', encoding="utf-8")
        with pytest.raises(InputError, match="is of other frames"):
            dataset(cache, stored, complete_flow=1.0)
        dataset(cache, stored)  # which needs no flow of complete frames


def warp(image: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    return np.asarray(cv2.remap(image, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR))
