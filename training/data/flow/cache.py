"""Flow of complete frames on disk: one `NAME.npz` for each clip, readable by numpy alone.

A file holds `info.json` and, for the frames t and t + 1 of every pair that no scene cut divides,

- `flow_00000.npy`: int16 (2, h, w, 2), forward flow (on frame t) and backward flow (on frame t + 1), (u, v) in steps of
  1/32 pixel of the clip's frame. Rounding moves a vector by at most 1/64 pixel along each axis; vectors reach 1023
  pixels. The grid (h, w) may be coarser than the frame.
- `valid_00000.npy`: uint8, the two validities (2, h, w) as bits (`numpy.packbits`).

The members are deflated, and each carries a CRC-32 that is checked whenever it is read.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.atomic import write_atomically
from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.folders import make_folder
from ptfan.engine.prepare.flow import FlowPair
from ptfan.engine.typed_json import from_object

__all__ = ["STEP", "FlowCache", "FlowInfo", "FlowSource", "StoredFlow", "encode_pair"]

STEP = 1 / 32
"""Pixels to one step of the stored numbers."""
DEFLATE = 3
"""zlib's level: half the time of its default, for files that are a seventh larger."""
VERSION = 1


@dataclass(frozen=True)
class FlowSource:
    """The frames that flow is of."""

    fingerprint: str
    """Of the frames' files, see `Clip.fingerprint`."""
    frames: int
    """How many frames the clip has."""
    size: tuple[int, int]
    """(width, height) of the frame whose pixels the flow is counted in."""


@dataclass(frozen=True)
class FlowInfo(FlowSource):
    """What a file says of itself; a file that says anything else than it should is computed again."""

    grid: int
    """Pixels of the frame to one vector, along each axis."""
    method: str
    """What computed the flow."""
    cuts: tuple[int, ...] = ()
    """Frames that begin a new scene: no flow leads to them from the frame before."""
    version: int = VERSION
    """Of the file's form."""

    @property
    def source(self) -> FlowSource:
        """The frames that it is of."""
        return FlowSource(self.fingerprint, self.frames, self.size)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the grid."""
        return -(-self.size[1] // self.grid), -(-self.size[0] // self.grid)

    def pairs(self) -> list[int]:
        """Return the pairs there is flow for: pair t lies between frames t and t + 1."""
        return [t for t in range(self.frames - 1) if t + 1 not in self.cuts]


@dataclass(frozen=True, eq=False)
class StoredFlow:
    """Flow between two frames as it is stored."""

    forward: NDArray[np.int16]
    """(h, w, 2), steps of 1/32 pixel of the frame."""
    backward: NDArray[np.int16]
    """Likewise."""

    @classmethod
    def of(cls, pair: FlowPair, grid: int) -> StoredFlow:
        """Round a pair of flows to what can be stored; a vector stands for `grid` by `grid` pixels."""
        return cls(_fixed_point(pair.forward, grid), _fixed_point(pair.backward, grid))


class FlowCache:
    """A folder of such files."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is read yet."""
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return where a clip's file is, or will be."""
        return self.folder / f"{name}.npz"

    def info(self, name: str) -> FlowInfo:
        """Return what a clip's file says of itself.

        Raises:
            InputNotFoundError: there is no such file.
            InputError: it is damaged.
        """
        with _opened(self.path(name)) as file:
            return from_object(FlowInfo, json.loads(file.read("info.json")), "info.json")

    def read(self, name: str, pairs: Iterable[int]) -> dict[int, StoredFlow]:
        """Return the flow of some pairs of frames by their number: pair t lies between frames t and t + 1.

        Raises:
            InputNotFoundError: there is no such file.
            InputError: it is damaged, or has no such pair.
        """
        with _opened(self.path(name)) as file:
            return {t: StoredFlow(*_array(file, f"flow_{t:05d}")) for t in sorted(set(pairs))}

    def write(self, name: str, info: FlowInfo, members: dict[int, dict[str, NDArray[Any]]]) -> None:
        """Write a clip's file; it is there whole or not at all.

        Args:
            name: the clip's name.
            info: what the file says of itself.
            members: what `encode_pair` returned, by the pairs' numbers.
        """
        make_folder(self.folder)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=DEFLATE) as file:
            file.writestr("info.json", json.dumps(asdict(info)))
            for number, arrays in members.items():
                for kind, array in arrays.items():
                    buffer = io.BytesIO()
                    np.lib.format.write_array(buffer, array, allow_pickle=False)
                    file.writestr(f"{kind}_{number:05d}.npy", buffer.getvalue())
        write_atomically(self.path(name), content.getvalue())

    def damage(self, name: str) -> str | None:
        """Read the whole file; return what is wrong with it, or None."""
        try:
            info = self.info(name)
            with _opened(self.path(name)) as file:
                for number in info.pairs():
                    flows, bits = _array(file, f"flow_{number:05d}"), _array(file, f"valid_{number:05d}")
                    if flows.dtype != np.int16 or flows.shape != (2, *info.shape, 2) or bits.dtype != np.uint8:
                        raise ValueError(f"flow_{number:05d} is {flows.dtype} of shape {flows.shape}")
        except InputError as error:
            return str(error)
        return None

    def check(self, wanted: Mapping[str, FlowSource]) -> dict[str, FlowInfo]:
        """Check that there is flow for clips, made of the very frames that they have now.

        Args:
            wanted: the clips' frames by name.

        Returns:
            What the files say of themselves, by the clips' names.

        Raises:
            InputNotFoundError: a clip's file is missing.
            InputError: a file is damaged or of another form, or its clip has changed since, or has another size.
        """
        missing = [name for name in wanted if not self.path(name).is_file()]
        if missing:
            raise InputNotFoundError(
                f"flow cache {self.folder}: lacks {len(missing)} of {len(wanted)} clips, first {missing[0]}; "
                "compute them by ptfan flow"
            )
        infos = {name: self.info(name) for name in wanted}
        for name, info in infos.items():
            self._check_one(name, info, wanted[name])
        return infos

    def _check_one(self, name: str, info: FlowInfo, wanted: FlowSource) -> None:
        what = f"flow cache {self.path(name)}: is"
        if info.version != VERSION:
            raise InputError(f"{what} of version {info.version}, expected {VERSION}; compute it again by ptfan flow")
        if info.source == replace(wanted, size=info.size) and info.size != wanted.size:
            sizes = ["{}x{}".format(*size) for size in (info.size, wanted.size)]
            raise InputError(f"{what} of frames of {sizes[0]}, expected {sizes[1]}; give ptfan flow the same --longest")
        if info.source != wanted:
            raise InputError(f"{what} of other frames; compute it again by ptfan flow")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a file to read from it; every way in which that can fail is told in our words."""
    try:
        with zipfile.ZipFile(path) as file:
            yield file
    except FileNotFoundError as error:
        raise InputNotFoundError(f"flow cache {path}: is not there; compute it by ptfan flow") from error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"flow cache {path}: cannot be read ({error}); compute it again by ptfan flow") from error


def encode_pair(pair: FlowPair, grid: int) -> dict[str, NDArray[Any]]:
    """Return the arrays that are stored of a pair of flows.

    Args:
        pair: flow at the frame's size.
        grid: pixels to one stored vector.
    """
    stored = StoredFlow.of(pair, grid)
    height, width = stored.forward.shape[:2]
    masks = (pair.forward_validity, pair.backward_validity)
    valid = np.stack([_coarse(mask.astype(np.float32), (width, height)) >= 0.5 for mask in masks])
    return {"flow": np.stack([stored.forward, stored.backward]), "valid": np.packbits(valid)}


def _fixed_point(flow: NDArray[np.float32], grid: int) -> NDArray[np.int16]:
    height, width = flow.shape[:2]
    coarse = _coarse(flow, (-(-width // grid), -(-height // grid)))
    limits = np.iinfo(np.int16)
    steps: NDArray[np.int16] = np.clip(np.rint(coarse / STEP), limits.min, limits.max).astype(np.int16)
    return steps


def _coarse(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    if values.shape[1::-1] == size:
        return values
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _array(file: zipfile.ZipFile, name: str) -> NDArray[Any]:
    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(file.read(f"{name}.npy")), allow_pickle=False)
    return array
