"""Decoded clips on disk, memory-mapped: workers share them and decode nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.atomic import replacing, write_atomically
from ptfan.engine.errors import InputError
from ptfan.engine.folders import make_folder
from ptfan.engine.prepare.scenes import CutDetector
from ptfan.engine.progress import NoProgress, Progress, running
from ptfan.training.data.clips import Clip
from ptfan.training.data.datasets import ClipSet

__all__ = ["CachedClip", "ClipCache", "with_cuts"]

VERSION = 1
"""Of what is noted beside a clip; a clip with another is decoded again."""
DECIDING = ("fingerprint", "masks", "longest")
"""What of that decides on the arrays' values."""


@dataclass(frozen=True)
class CachedClip:
    """One decoded clip: `NAME.npy`, `NAME.masks.npy` where it has masks, and `NAME.json` that tells of both."""

    path: Path
    """`NAME.npy`, (T, H, W, 3) uint8."""

    @property
    def name(self) -> str:
        """The clip's name."""
        return self.path.stem

    @property
    def mask_path(self) -> Path:
        """`NAME.masks.npy`, (T, H, W) uint8 ids of objects; there only if the clip has masks."""
        return self.path.with_name(f"{self.name}.masks.npy")

    @property
    def note_path(self) -> Path:
        """`NAME.json`."""
        return self.path.with_name(f"{self.name}.json")

    def frames(self) -> NDArray[np.uint8]:
        """Map the frames into memory, (T, H, W, 3)."""
        return _mapped(self.path)

    def masks(self) -> NDArray[np.uint8] | None:
        """Map the masks into memory, (T, H, W); None where there are none."""
        return _mapped(self.mask_path) if self.mask_path.exists() else None

    def note(self) -> dict[str, Any]:
        """Return what is noted of the clip; nothing for an array that was put there by hand."""
        try:
            note = json.loads(self.note_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def fingerprint(self) -> str:
        """Return the fingerprint of the source, see `Clip.fingerprint`; empty where none is noted."""
        return str(self.note().get("fingerprint", ""))

    def scenes(self, cuts: Sequence[int] = ()) -> list[range]:
        """Return the frames of each scene; all frames are one where no cut is noted.

        Args:
            cuts: frames that begin a scene as well.
        """
        edges = sorted({0, *self.note().get("cuts", ()), *cuts, len(self.frames())})
        return [range(start, stop) for start, stop in pairwise(edges)]


@dataclass(frozen=True)
class ClipCache:
    """Decoded clips, in one memory-mapped file each."""

    clips: tuple[Path, ...]
    """`.npy` files (T, H, W, 3) uint8."""

    @classmethod
    def build(cls, dataset: ClipSet, cache: Path, progress: Progress | None = None) -> ClipCache:
        """Decode every clip of a dataset into a folder; what is there and still fits stays.

        Args:
            dataset: the clips.
            cache: where the arrays go.
            progress: is told of every clip that is decoded.

        Raises:
            InputError: clips cannot be read; it tells all of them, and the others are decoded.
        """
        make_folder(cache)
        entries = [CachedClip(cache / f"{clip.name}.npy") for clip in dataset.clips]
        todo = [pair for pair in zip(dataset.clips, entries, strict=True) if not _fits(*pair)]
        if todo:
            _decode_all(todo, progress or NoProgress())
        return cls(tuple(entry.path for entry in entries))

    def names(self) -> list[str]:
        """Return the clips' names."""
        return [path.stem for path in self.clips]

    def entries(self) -> list[CachedClip]:
        """Return the clips with all that is known of them."""
        return [CachedClip(path) for path in self.clips]

    def fingerprint(self) -> str:
        """Return a hash of the clips' names and of what they were decoded from. Another one means other data."""
        told = [(entry.name, *map(entry.note().get, DECIDING)) for entry in self.entries()]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def with_cuts(frames: Iterable[NDArray[np.uint8]]) -> Iterator[tuple[NDArray[np.uint8], bool]]:
    """Yield each frame, and whether it begins a new scene, which the first one does not.

    Args:
        frames: (H, W, 3) RGB each.
    """
    detector = CutDetector()
    for frame in frames:
        yield frame, detector.push(frame, np.zeros(frame.shape[:2], bool))


def _source(clip: Clip) -> dict[str, Any]:
    """Return what decides on an entry, as its note has it."""
    return {
        "version": VERSION,
        "fingerprint": clip.fingerprint(),
        "masks": clip.mask_fingerprint() if clip.has_masks else None,
        "longest": clip.longest,
    }


def _decode_all(todo: Sequence[tuple[Clip, CachedClip]], progress: Progress) -> None:
    failed: dict[str, InputError] = {}
    with running(progress, "decoding", len(todo), "clips"):
        for clip, entry in todo:
            try:
                _decode(clip, entry)
            except InputError as error:
                failed[clip.name] = error
            progress.advance()
    if failed:
        (_, first), *others = failed.items()
        more = "; neither can: " + ", ".join(name for name, _ in others) if others else ""
        raise InputError(f"{first}{more}") from first


def _decode(clip: Clip, entry: CachedClip) -> None:
    source = _source(clip)
    entry.note_path.unlink(missing_ok=True)  # From here on until the new note, the entry counts for nothing.
    entry.mask_path.unlink(missing_ok=True)
    cuts = _save_frames(entry.path, clip.pictures())
    frames = entry.frames()
    if clip.has_masks:
        _save(entry.mask_path, clip.read_masks(0, len(frames)))
    note = {**source, "shape": frames.shape, "cuts": cuts}
    write_atomically(entry.note_path, json.dumps(note).encode())


def _fits(clip: Clip, entry: CachedClip) -> bool:
    """Tell whether an entry is whole and made of this very clip."""
    note, source = entry.note(), _source(clip)
    if any(name not in note or note[name] != value for name, value in source.items()):
        return False
    try:
        frames, masks = entry.frames(), entry.masks()
    except (OSError, ValueError):
        return False
    whole = list(frames.shape) == note.get("shape") and frames.dtype == np.uint8
    return whole and (masks is not None) == (source["masks"] is not None)


def _save_frames(path: Path, frames: Iterable[NDArray[np.uint8]]) -> list[int]:
    """Save frames as one array as they come: a long video does not fit into memory. Return those that begin a scene."""
    cuts = []
    with replacing(path) as file:
        shape: tuple[int, ...] = ()
        for number, (frame, cut) in enumerate(with_cuts(frames)):
            if cut:
                cuts.append(number)
            if not shape:
                shape = 0, *frame.shape
                _write_header(file, shape)
            file.write(frame.tobytes())
            shape = shape[0] + 1, *frame.shape
        file.seek(0)
        _write_header(file, shape)  # As long as the first one: numpy leaves room for any number of rows.
    return cuts


def _write_header(file: IO[bytes], shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _save(path: Path, array: NDArray[np.uint8]) -> None:
    with replacing(path) as file:  # two runs may share the folder
        np.save(file, array)


def _mapped(path: Path) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array
