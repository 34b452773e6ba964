"""What masks are read from: one image or array for all frames, a folder of images, or a video."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame

from ptfan.engine.errors import InputError, InputNotFoundError, MaskError
from ptfan.engine.frame import Mask
from ptfan.engine.listing import listed
from ptfan.engine.masks.clock import MaskTimes
from ptfan.engine.masks.images import hole_of, no_picture, open_pictures, read_mask_image, read_object_ids
from ptfan.engine.media.decoder import decoder_of
from ptfan.engine.media.endings import is_mask_image
from ptfan.engine.media.film import films_of
from ptfan.engine.natural_order import files_in

__all__ = ["AnyMask", "MaskReader", "open_reader"]

AnyMask = str | Path | Mask
"""What a mask may be given as: a file, a folder, or an array (H, W) of bool for all frames."""
MOST_IDS = 16
"""Object ids that an error lists; an image with soft edges has a hundred and more."""


class MaskReader(Protocol):
    """Masks at their own size."""

    @property
    def frames(self) -> int | None:
        """How many masks there are; None when one serves every frame, or when the number is not known."""

    @property
    def still(self) -> bool:
        """True when one mask serves every frame."""

    @property
    def rate(self) -> Fraction | None:
        """Masks a second; None for images, which have no times."""

    def times(self) -> MaskTimes | None:
        """Return when the masks are shown; None without a rate."""

    def read(self, index: int) -> Mask:
        """Return the mask with an index, from 0, which is never lower than in the call before."""

    def close(self) -> None:
        """Release the file."""


def open_reader(mask: AnyMask, object_id: int | None = None) -> MaskReader:
    """Open a mask of whatever kind; see `open_mask`.

    Raises:
        InputNotFoundError: there is no such file or folder.
        MaskError: it cannot be read, or is one image that lacks the object.
        InputError: an array is no mask, or an object is wanted of one.
    """
    if isinstance(mask, np.ndarray):
        return _Still(_checked(mask, object_id))
    path = Path(mask)
    if not path.exists():
        raise InputNotFoundError(f"mask {path}: no such file or folder")
    if path.is_dir():
        return _Folder(path, object_id)
    if not path.is_file():  # It is read more than once, and a silent pipe would hold the run.
        raise MaskError(f"mask {path}: is no file or folder, but a device or a pipe; give an image or a video")
    with open_pictures(path) as container:
        moving = not _is_still(container)
    if not moving:
        return _Still(_read_still(path, object_id))
    if object_id is not None:
        raise MaskError(f"mask {path}: a video has no object ids; leave the object id out or give images")
    return _Video(path)


def _checked(mask: Mask, object_id: int | None) -> Mask:
    """Return a copy of a mask that the caller goes on to hold, if it is one."""
    if mask.dtype != np.bool_ or mask.ndim != 2 or not mask.size:
        raise InputError(
            f"mask is an array of {mask.dtype} and shape {mask.shape}, expected bool and shape (H, W), True in the hole"
        )
    if object_id is not None:
        raise InputError("a mask that is an array has no object ids; compare it with the id that is wanted")
    return np.array(mask)


def _read_still(path: Path, object_id: int | None) -> Mask:
    """Read one mask for all frames: an object that it lacks is in none of them."""
    mask = read_mask_image(path, object_id=object_id)
    if object_id is not None and not mask.any() and (ids := read_object_ids(path)):
        expected = listed(ids, MOST_IDS)
        raise MaskError(f"mask {path}: no pixel has the object id {object_id}, expected one of {expected}")
    return mask


def _is_still(container: InputContainer) -> bool:
    name = container.format.name
    if name == "gif":
        return sum(packet.size > 0 for packet in container.demux(films_of(container)[0])) == 1
    return name.endswith("_pipe") or name == "image2"


class _Timeless:
    """Masks that have no times: they are images."""

    rate: Fraction | None = None

    def times(self) -> MaskTimes | None:
        return None


class _Still(_Timeless):
    """One mask for all frames."""

    still = True
    frames: int | None = None

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def read(self, index: int) -> Mask:
        return self._mask

    def close(self) -> None:
        pass


class _Folder(_Timeless):
    """A folder with an image for each frame, which is read when it is asked for."""

    still = False

    def __init__(self, path: Path, object_id: int | None) -> None:
        self._paths = files_in(path, is_mask_image)
        if not self._paths:
            raise MaskError(f"mask {path}: no images in this folder; expected one for each frame, such as 00000.png")
        self._path = path
        self._object_id = object_id

    @property
    def frames(self) -> int | None:
        return len(self._paths)

    def read(self, index: int) -> Mask:
        if index >= len(self._paths):
            raise _too_short(self._path, len(self._paths))
        return read_mask_image(self._paths[index], object_id=self._object_id)

    def close(self) -> None:
        pass


class _Video:
    """A video, each frame of which is a mask; it is decoded as far as masks are asked for."""

    still = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = ExitStack()
        self.rate: Fraction | None = None
        self.frames: int | None = self._count()
        self._decoded = -1
        self._hole: Mask | None = None
        self._pictures = self._decode()

    def _count(self) -> int | None:
        with open_pictures(self._path) as container:
            stream = films_of(container)[0]
            self.rate = stream.average_rate or stream.guessed_rate or None
            counted = stream.frames or sum(packet.size > 0 for packet in container.demux(stream))
        if counted == 0:
            raise no_picture(self._path)
        return counted

    def times(self) -> MaskTimes | None:
        if self.rate is None:
            return None
        with open_pictures(self._path) as container:
            return MaskTimes.of(container, self.rate)

    def _decode(self) -> Generator[VideoFrame, None, None]:
        container = self._files.enter_context(open_pictures(self._path))
        stream = films_of(container)[0]
        stream.thread_type = "AUTO"
        decode = decoder_of(stream)
        for packet in container.demux(stream):
            yield from decode(packet)

    def read(self, index: int) -> Mask:
        frame = None
        while self._decoded < index:
            frame = self._next()
            self._decoded += 1
        if frame is not None:
            self._hole = hole_of(frame, lossy=True, name=self._path)
        assert self._hole is not None
        return self._hole

    def _next(self) -> VideoFrame:
        try:
            return next(self._pictures)
        except StopIteration:
            raise _too_short(self._path, self._decoded + 1) from None
        except (FFmpegError, OSError) as error:
            reason = error.strerror or error
            raise MaskError(
                f"mask {self._path}: cannot be decoded after {self._decoded + 1} masks ({reason}); write it again"
            ) from error

    def close(self) -> None:
        self._pictures.close()
        self._files.close()


def _too_short(path: Path, frames: int) -> MaskError:
    return MaskError(
        f"mask {path}: ends after {frames} masks and the video goes on; "
        "give a mask for every frame, or one image for all"
    )
