"""One clip of a dataset: complete frames, object masks and ready-made flow, read from where they lie."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.masks.images import read_labels
from ptfan.engine.media.film import films_of
from ptfan.engine.media.input_container import open_container
from ptfan.engine.media.orientation import Orientation
from ptfan.engine.media.packet_scan import PacketScan
from ptfan.training.data.flow.files import FlowFiles
from ptfan.training.data.pixels import Pixels

__all__ = ["Clip", "ImageFrames", "MaskFiles", "VideoFrames"]


@dataclass(frozen=True)
class VideoFrames:
    """The frames of a video file."""

    path: Path
    """The file."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the frames come from."""
        return (self.path,)

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the single frames: a video has none."""
        return ()

    def count(self) -> int:
        """Count the frames: by packets where these tell, as the runtime does, else by decoding them."""
        with self._opened() as container:
            frames = container.decode(films_of(container)[0])
            first = next(frames, None)
            if first is None:
                return 0
            told = PacketScan.of(str(self.path), first.interlaced_frame).frames
            return 1 + sum(1 for _ in frames) if told is None else told

    def read(self, start: int, stop: int | None) -> Iterator[Pixels]:
        """Yield frames start to stop (the last without it) as (H, W, 3) uint8 RGB, as displayed."""
        with self._opened() as container:
            orientation: Orientation | None = None
            for index, frame in enumerate(islice(container.decode(films_of(container)[0]), stop)):
                orientation = orientation or Orientation.of(frame)  # of the first: later frames need not repeat it
                if index >= start:
                    yield orientation.apply(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))

    @contextmanager
    def _opened(self) -> Iterator[av.container.InputContainer]:
        try:
            with open_container(self.path) as container:
                if not films_of(container):
                    raise InputError(f"clip {self.path}: no picture in it; expected a video")
                yield container
        except av.FFmpegError as error:
            raise InputError(f"clip {self.path}: cannot be decoded ({error.strerror}); expected a video") from error


@dataclass(frozen=True)
class ImageFrames:
    """The frames of a folder of images."""

    files: tuple[Path, ...]
    """The images, in the order of the frames."""

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the single frames."""
        return tuple(path.stem for path in self.files)

    def count(self) -> int:
        """Count the frames."""
        return len(self.files)

    def read(self, start: int, stop: int | None) -> Iterator[Pixels]:
        """Yield frames start to stop (the last without it) as (H, W, 3) uint8 RGB."""
        for path in self.files[start:stop]:
            yield _read_image(path)


def _read_image(path: Path) -> Pixels:
    """Read an image as (H, W, 3) uint8 RGB."""
    try:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error:  # of more pixels than OpenCV takes
        image = None
    if image is None:
        raise InputError(f"clip {path}: cannot be read; expected a JPEG or PNG image")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


@dataclass(frozen=True)
class MaskFiles:
    """Object masks, one image each; a mask stays until the next one comes."""

    files: tuple[Path, ...]
    """The images, in the order of the frames."""
    hole_is_black: bool = False
    """True where 0 is the object and anything else the background, as FVI stores its masks."""

    def read(self, number: int) -> Pixels:
        """Return mask `number` (H, W), at its own size: ids of objects, 0 is the background."""
        ids = read_labels(self.files[number])
        return (ids == 0).astype(np.uint8) if self.hole_is_black else ids

    def numbers(self, stems: tuple[str, ...], frames: int) -> list[int]:
        """Return which mask belongs to each frame, -1 for none: by name if names agree, else in order."""
        places = {path.stem: number for number, path in enumerate(self.files)}
        if not places.keys() & set(stems):
            return [min(t, len(self.files) - 1) for t in range(frames)]
        chosen, last = [], -1
        for stem in stems:
            last = places.get(stem, last)
            chosen.append(last)
        return chosen


@dataclass(frozen=True)
class Clip:
    """A clip of a dataset. Nothing is read before it is asked for."""

    name: str
    """The clip's name, unique in its dataset."""
    source: VideoFrames | ImageFrames
    """Where the frames come from."""
    masks: MaskFiles | None = None
    """Object masks, if the dataset has them for this clip."""
    flow: FlowFiles | None = None
    """Flow computed elsewhere, if the dataset has it for this clip."""
    longest: int | None = None
    """Larger frames are read scaled down until their longer side has so many pixels; None reads them as they are."""

    @cached_property
    def frames(self) -> int:
        """How many frames the clip has."""
        return self.source.count()

    @cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) of a frame as displayed, pixels."""
        height, width = self.read(0, 1).shape[1:3]
        return width, height

    @property
    def has_masks(self) -> bool:
        """Whether there are object masks."""
        return self.masks is not None

    def read(self, start: int = 0, stop: int | None = None) -> Pixels:
        """Return frames start to stop, (T, H, W, 3) uint8 RGB; without `stop` all that there are.

        Raises:
            InputError: a frame cannot be read, has another size than the first, or is not there.
        """
        return np.stack(list(self.pictures(start, stop)))

    def pictures(self, start: int = 0, stop: int | None = None) -> Iterator[Pixels]:
        """Yield frames start to stop one by one, (H, W, 3) uint8 RGB each; see `read`.

        Raises:
            InputError: a frame cannot be read, has another size than the first, or is not there.
        """
        expected, end = "", start
        for end, picture in enumerate(map(self._scaled, self.source.read(start, stop)), start + 1):
            expected = expected or _size(picture)
            if _size(picture) != expected:
                raise InputError(
                    f"clip {self.name}: frame {end - 1} is {_size(picture)}, expected {expected} as the frames before"
                )
            yield picture
        if end == start or (stop is not None and end < stop):
            raise InputError(
                f"clip {self.name}: frames {start} to {stop or 'the end'} were asked for, got {end - start} of them"
            )

    def read_masks(self, start: int = 0, stop: int | None = None) -> Pixels:
        """Return the object ids of frames start to stop, (T, H, W) uint8 at the frames' size; 0 is the background.

        Compare with 0 for the hole of all objects. Masks that end before the clip hold their last picture; a frame
        between two annotated ones has the mask before it, and one before the first has none.

        Raises:
            InputError: the clip has no masks, or one cannot be read.
        """
        if self.masks is None:
            raise InputError(f"clip {self.name}: the dataset has no masks for it")
        numbers = self.masks.numbers(self.source.stems, self.frames)[start:stop]
        read = {number: self._fitted(self.masks.read(number)) for number in sorted(set(numbers) - {-1})}
        nothing = np.zeros(self.size[::-1], np.uint8)
        return np.stack([read.get(number, nothing) for number in numbers])

    def fingerprint(self) -> str:
        """Return a hash of the frames' files: names, sizes and times of change. Another one means other frames."""
        return _fingerprint(self.source.files)

    def mask_fingerprint(self) -> str:
        """Return the same of the masks' files."""
        return _fingerprint(self.masks.files if self.masks else ())

    def _scaled(self, picture: Pixels) -> Pixels:
        height, width = picture.shape[:2]
        if self.longest is None or max(height, width) <= self.longest:
            return picture
        scale = self.longest / max(height, width)
        size = max(1, round(scale * width)), max(1, round(scale * height))
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _fitted(self, mask: Pixels) -> Pixels:
        if mask.shape[::-1] == self.size:
            return mask
        return np.asarray(cv2.resize(mask, self.size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _fingerprint(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in files:
        state = path.stat()
        digest.update(f"{path.name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _size(picture: Pixels) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"
