"""Training samples: short clips of real video with random holes, and what the runtime would feed the network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.flow import estimate_flows
from ptfan.engine.inputs import clip_inputs
from ptfan.engine.spec import Fill
from ptfan.training.masks import random_holes

__all__ = ["ClipCache", "ClipDataset", "clip_list"]

VIDEO_SUFFIXES = {".mp4", ".mkv", ".webm", ".mov", ".avi"}


@dataclass(frozen=True)
class ClipCache:
    """Decoded clips in one memory-mapped file each, so that workers share them and decode nothing."""

    clips: tuple[Path, ...]
    """`.npy` files (T, H, W, 3) uint8."""

    @classmethod
    def build(cls, folder: Path, cache: Path, names: frozenset[str] | None = None) -> ClipCache:
        """Decode every video of `folder` (or those whose stems are in `names`) into `cache`, once.

        Raises:
            InputNotFoundError: the folder or a named clip is not there.
            InputError: the folder holds no video.
        """
        if not folder.is_dir():
            raise InputNotFoundError(f"training data: {folder} is not a folder; expected one that holds videos")
        videos = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
        if names is not None:
            missing = sorted(names - {path.stem for path in videos})
            if missing:
                raise InputNotFoundError(
                    f"training data: {folder} lacks {len(missing)} named clips, first {missing[0]}"
                )
            videos = [path for path in videos if path.stem in names]
        if not videos:
            raise InputError(f"training data: no video ({', '.join(sorted(VIDEO_SUFFIXES))}) in {folder}")
        cache.mkdir(parents=True, exist_ok=True)
        return cls(tuple(_decode_once(path, cache) for path in videos))

    def names(self) -> list[str]:
        """Return the clips' names."""
        return [path.stem for path in self.clips]


def _decode_once(video: Path, cache: Path) -> Path:
    target = cache / f"{video.stem}.npy"
    if not target.exists():
        with av.open(str(video)) as container:
            frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
        partial = target.with_suffix(".partial.npy")
        np.save(partial, frames)
        partial.replace(target)
    return target


class ClipDataset(Dataset[dict[str, Tensor]]):
    """Sample `index` of an endless, seeded sequence; the same index always gives the same sample.

    A sample holds the clip graph's inputs by name, and `target` (T, 3, H, W): the complete clip in [0, 1].
    """

    def __init__(
        self, cache: ClipCache, *, frames: int, size: tuple[int, int], fill: Fill, seed: int, length: int
    ) -> None:
        """Describe the sequence.

        Args:
            cache: the clips.
            frames: T, frames in a sample.
            size: (width, height) of a sample in pixels.
            fill: what the network expects in the holes.
            seed: the sequence's seed.
            length: how many samples the sequence has.
        """
        self._clips = [np.load(path, mmap_mode="r") for path in cache.clips]
        self._clips = [clip for clip in self._clips if len(clip) >= frames]
        if not self._clips:
            raise InputError(f"training data: no clip has {frames} frames; shorten the samples or add longer clips")
        weights = np.sqrt([len(clip) for clip in self._clips])
        self._weights = weights / weights.sum()
        self._frames, self._size, self._fill = frames, size, fill
        self._seed, self._length = seed, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._seed, index))
        clip = self._clips[rng.choice(len(self._clips), p=self._weights)]
        images = _augment(rng, clip, self._frames, self._size)
        holes = random_holes(rng, self._frames, self._size[1], self._size[0])
        inputs = clip_inputs(images, holes, estimate_flows(images, holes), self._fill)
        inputs["target"] = np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))
        return {name: torch.from_numpy(array) for name, array in inputs.items()}


def _augment(
    rng: np.random.Generator, clip: NDArray[np.uint8], frames: int, size: tuple[int, int]
) -> list[NDArray[np.float32]]:
    """Cut a random stretch and region: speed 1 or 2, either direction of time, mirrored or not, any scale."""
    speed = 2 if len(clip) >= 2 * frames and rng.random() < 0.2 else 1
    start = int(rng.integers(len(clip) - speed * (frames - 1)))
    order = np.arange(frames) * speed + start
    if rng.random() < 0.5:
        order = order[::-1]
    rows, columns = _region(rng, clip.shape[1], clip.shape[2], size)
    mirror = rng.random() < 0.5
    return [_prepare(clip[t][rows, columns], size, mirror) for t in order]


def _region(rng: np.random.Generator, height: int, width: int, size: tuple[int, int]) -> tuple[slice, slice]:
    """Choose a region of the sample's shape, from its own size up to the largest that fits."""
    largest = min(width / size[0], height / size[1])
    scale = rng.uniform(min(1.0, largest), largest)
    region_width, region_height = min(width, round(size[0] * scale)), min(height, round(size[1] * scale))
    x, y = int(rng.integers(width - region_width + 1)), int(rng.integers(height - region_height + 1))
    return slice(y, y + region_height), slice(x, x + region_width)


def _prepare(region: NDArray[np.uint8], size: tuple[int, int], mirror: bool) -> NDArray[np.float32]:
    resized = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    image: NDArray[np.float32] = (resized[:, ::-1] if mirror else resized).astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(image)


def clip_list(path: Path | None) -> frozenset[str] | None:
    """Read a list of clip names, one a line (or a JSON array); None means every clip.

    Raises:
        InputNotFoundError: the list is not there.
        InputError: it begins like a JSON array and is none.
    """
    if path is None:
        return None
    if not path.is_file():
        raise InputNotFoundError(f"training data: the list of clips {path} is not there")
    text = path.read_text(encoding="utf-8")
    try:
        names = json.loads(text) if text.lstrip().startswith("[") else text.split("\n")
    except ValueError as error:
        raise InputError(f"training data: the list of clips {path} is no JSON array ({error})") from error
    return frozenset(name.strip() for name in names if name.strip())
