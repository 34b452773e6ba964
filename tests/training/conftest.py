"""What several tests of training need: slow references, written from the facts alone, and clips to learn from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from ptfan.engine.prepare.flow import estimate_flows
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.spec import Fill
from ptfan.training.model.config import GeneratorConfig, Stage


def bilinear(image: np.ndarray, x: float, y: float) -> np.ndarray:
    """Sample an image (C, H, W) at one place, zeros outside; pixel centres are whole numbers."""
    _, height, width = image.shape
    left, top = int(np.floor(x)), int(np.floor(y))
    value = np.zeros(image.shape[0])
    for row, share_y in ((top, top + 1 - y), (top + 1, y - top)):
        for column, share_x in ((left, left + 1 - x), (left + 1, x - left)):
            if 0 <= row < height and 0 <= column < width:
                value += share_y * share_x * image[:, row, column]
    return value


def sampled_at(place: int, size: int, published: bool) -> float:
    """Where a pixel of an axis is looked up when nothing moves: at itself, or on the published network's grid."""
    if not published:
        return float(place)
    return place * size / max(size - 1, 1) - 0.5


def warp(image: np.ndarray, flow: np.ndarray, published: bool) -> np.ndarray:
    """Warp an image (C, H, W) along a flow (2, H, W), pixel by pixel."""
    _, height, width = image.shape
    warped = np.zeros(image.shape)
    for y in range(height):
        for x in range(width):
            place_x = sampled_at(x, width, published) + flow[0, y, x]
            place_y = sampled_at(y, height, published) + flow[1, y, x]
            warped[:, y, x] = bilinear(image, place_x, place_y)
    return warped


def shift_and_align_slowly(
    x: np.ndarray,
    forward: np.ndarray,
    backward: np.ndarray,
    forward_mask: np.ndarray,
    backward_mask: np.ndarray,
    fold: int,
    published: bool = True,
) -> np.ndarray:
    """Align one clip (T, C, H, W), with flows as published: T - 1 entries; masks (T - 1, H, W), 1 where invalid.

    Forward entry t lies on frame t, backward entry t on frame t + 1. With `published` false, the clean convention.
    """
    out = np.array(x, dtype=np.float64)
    out[-1, :fold] = 0
    out[0, fold : 2 * fold] = 0
    for t in range(len(x) - 1):
        from_next = warp(x[t + 1, :fold], forward[t], published)
        from_previous = warp(x[t, fold : 2 * fold], backward[t], published)
        empty = np.sum(from_next, axis=0) == 0
        for branch, mask, frame, first in (
            (from_next, forward_mask[t], t, 0),
            (from_previous, backward_mask[t], t + 1, fold),
        ):
            invalid = mask == 1
            if published:  # the backward branch, too, is tested with the forward branch's warp of the entry
                invalid = invalid | empty
            own = x[frame, first : first + fold]
            out[frame, first : first + fold] = np.where(invalid, own, branch)
    return out


@pytest.fixture(scope="session")
def slow_alignment() -> Callable[..., np.ndarray]:
    """Return the loops that the fast shift-and-align is compared with."""
    return shift_and_align_slowly


TINY = GeneratorConfig(
    name="s",
    stem_width=8,
    stem_kernel=3,
    stages=(Stage(4, (1,)), Stage(4, (1,), stride=2), Stage(4, (1,)), Stage(4, (2,))),
    decoder="light",
    decoder_widths=(16, 16),
    fill="propagated",
)


class Waves(Dataset[dict[str, torch.Tensor]]):
    """Clips of coloured waves that move, with a box that is hidden; sample n is always the same."""

    def __init__(self, fill: Fill = "propagated", frames: int = 3, height: int = 32, width: int = 48) -> None:
        self.fill, self.frames, self.shape = fill, frames, (height, width)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng(index)
        y, x = np.mgrid[: self.shape[0], : self.shape[1]]
        phase, pitch = rng.uniform(0, 6, 3), rng.uniform(6, 12, 3)
        pictures = [
            np.stack(
                [np.sin((x + 2 * t) / pitch[0] + phase[0]), np.cos((y + t) / pitch[1]), np.sin((x + y) / pitch[2])]
            )
            for t in range(self.frames)
        ]
        images = [(0.5 + 0.4 * picture.transpose(1, 2, 0)).astype(np.float32) for picture in pictures]
        (top, left), (height, width) = rng.integers(2, 14, 2), rng.integers(8, 18, 2)
        hole = np.zeros(self.shape, bool)
        hole[top : top + height, left : left + width] = True
        holes = [hole] * self.frames
        inputs = dict(clip_inputs(images, holes, estimate_flows(images, holes), self.fill))
        inputs["target"] = np.stack(images).transpose(0, 3, 1, 2).copy()
        return {name: torch.from_numpy(array) for name, array in inputs.items()}


@pytest.fixture(scope="session")
def tiny() -> GeneratorConfig:
    """Return a network that is small enough to be trained in a test; like `s`, but narrow."""
    return TINY


@pytest.fixture(scope="session")
def waves() -> type[Waves]:
    """Return the dataset of waves."""
    return Waves


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute on one thread of torch."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def save_video(path: Path, frames: Sequence[np.ndarray]) -> None:
    """Write frames (H, W, 3) uint8 as a video without losses but those of its colours' rounding."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "0"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def write_video() -> Callable[..., None]:
    """Return the function that writes frames as a video."""
    return save_video


def wave_frames(height: int, width: int) -> np.ndarray:
    """Draw ten frames (T, H, W, 3) uint8 of grey waves that move."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin((x + 2 * t) / 6) * np.cos((y - t) / 7) for t in range(10)]
    return (127 + 100 * np.stack([waves] * 3, -1)).astype(np.uint8)


@pytest.fixture(scope="session")
def grey_waves() -> Callable[[int, int], np.ndarray]:
    """Return the function that draws waves of a height and a width."""
    return wave_frames


@pytest.fixture
def training_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int, dict[str, object]], Path]:
    """Return a function that changes to a folder with a clip of waves in `videos` and settings in `tiny.json`."""

    def change(height: int, width: int, config: dict[str, object]) -> Path:
        (tmp_path / "videos").mkdir()
        save_video(tmp_path / "videos" / "waves.mp4", list(wave_frames(height, width)))
        (tmp_path / "tiny.json").write_text(json.dumps(config), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return change
