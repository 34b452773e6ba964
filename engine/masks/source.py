"""Masks: where the hole is in every frame, from an image, a folder of images, a video, an array or boxes."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol

import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame

from ptfan.engine.errors import InputError, InputNotFoundError, MaskError
from ptfan.engine.frame import Box, Mask
from ptfan.engine.masks.clock import MaskClock, MaskTimes, is_same_rate
from ptfan.engine.masks.images import hole_of, open_pictures, read_mask_image, read_object_ids
from ptfan.engine.media import StreamInfo
from ptfan.engine.media.notice import Warn, log_warning
from ptfan.engine.natural_order import natural_key

__all__ = ["AnyMask", "MaskSource", "dilate_mask", "mask_name", "open_mask", "parse_box", "scale_mask"]

AnyMask = str | Path | Mask
"""What a mask may be given as: a file, a folder, or an array (H, W) of bool for all frames."""
IMAGE_SUFFIXES = frozenset(
    [".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"]
)
"""What counts as a mask in a folder; other files (notes, thumbnails' databases) are passed over."""
MOST_HOLE = 0.6
"""Share of the frame above which one mask for all frames has probably been drawn black on white."""
MOST_IDS = 16
"""Object ids that an error lists; an image with soft edges has a hundred and more."""


class _Reader(Protocol):
    """Masks at their own size."""

    @property
    def frames(self) -> int | None:
        """How many masks there are; None when one serves every frame, or when the number is not known."""

    @property
    def still(self) -> bool:
        """True when one mask serves every frame."""

    @property
    def rate(self) -> Fraction | None:
        """Masks a second; None when they are not shown at times of their own."""

    def times(self) -> MaskTimes | None:
        """Return when the masks are shown; None without a rate."""

    def read(self, index: int) -> Mask:
        """Return the mask of a frame; indices never go down."""

    def close(self) -> None:
        """Release the file."""


class MaskSource:
    """The hole of every frame, at the frame's own size. A context manager.

    Args:
        reader: Masks at their own size, or None when there are only boxes.
        boxes: Rectangles that are hole in every frame.
        dilate: How far the hole is grown, pixels of the frame.
        name: What to call the mask in messages.
        warn: Takes a line about what was changed; the log without it.
    """

    def __init__(
        self,
        reader: _Reader | None,
        boxes: Sequence[Box],
        *,
        dilate: int = 0,
        name: str = "mask",
        warn: Warn = log_warning,
    ) -> None:
        self.name = name
        self._reader = reader
        self._boxes = tuple(boxes)
        self._dilate = dilate
        self._warn = warn
        self._key: tuple[int, int, int] | None = None
        self._raw: Mask | None = None
        self._hole: Mask | None = None
        self._told: set[str] = set()
        self._clock: MaskClock | None = None

    @property
    def frames(self) -> int | None:
        """How many frames there is a mask for; None when one mask serves all, or when the number is not known."""
        return None if self._reader is None else self._reader.frames

    @property
    def still(self) -> bool:
        """True when every frame has the same hole."""
        return self._reader is None or self._reader.still

    def follow(self, info: StreamInfo) -> None:
        """Match the masks to the frames of a source: one a frame, but for a mask video of another rate by time.

        Where there are as many masks as frames, each frame has its own, whatever the mask video says of its rate.

        Args:
            info: Where the frames come from.
        """
        rate = None if self._reader is None else self._reader.rate
        if self._reader is None or rate is None or info.rate is None or not info.timed:
            return
        if is_same_rate(rate, info.rate) or self._reader.frames == info.total:
            return
        times = self._reader.times()
        if times is not None:
            self._clock = MaskClock(times, info, self.name)
            self._tell(self._clock.notice)

    def at(self, index: int, width: int, height: int, time: Fraction | None = None) -> Mask:
        """Return the hole of one frame.

        Args:
            index: The frame's place in the whole video, from 0; it never goes down from call to call.
            width: The frame's width as displayed, pixels.
            height: The frame's height as displayed, pixels.
            time: When the frame is shown, seconds on its source's clock; it counts where `follow` has found that.

        Returns:
            (height, width), True in the hole; read-only, and the very same array for as long as nothing changes.

        Raises:
            MaskError: the mask cannot be read, or ends before this frame.
            InputError: a box lies outside the frame.
        """
        if self._clock is not None and time is not None:
            index = self._clock.index_of(time)
        raw = None if self._reader is None else self._reader.read(index)
        key = (id(raw), width, height)
        if self._hole is None or key != self._key:
            self._key, self._raw = key, raw  # The array is held, so that no other one can get its id.
            self._hole = self._build(raw, width, height)
        return self._hole

    def check_length(self, frames: int | None, *, first: int = 0, whole: bool = True) -> None:
        """Compare the number of masks with the number of frames, or how long they last, where both are known.

        Args:
            frames: How many frames are to be inpainted; None when unknown.
            first: The index in the whole video of the first of them.
            whole: The last of them is the video's last frame, so that masks left over mean a mistake.

        Raises:
            MaskError: there are fewer masks than frames.
        """
        if self._clock is not None:
            left = self._clock.check_length()
            if left is not None:
                self._warn(left)
            return
        if self.frames is None or frames is None:
            return
        needed = first + frames
        counts = f"mask {self.name}: {self.frames} masks, one a frame, for {needed} frames"
        if self.frames < needed:
            raise MaskError(f"{counts}; give a mask for every frame, or one image for all, or end sooner")
        if self.frames > needed and whole:
            self._warn(f"{counts}; the last {self.frames - needed} are not used")

    def close(self) -> None:
        """Release the files."""
        if self._reader is not None:
            self._reader.close()

    def __enter__(self) -> MaskSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _build(self, raw: Mask | None, width: int, height: int) -> Mask:
        hole = np.zeros((height, width), np.bool_)
        if raw is not None:
            self._check_shape(raw, width, height)
            hole |= scale_mask(raw, width, height)
        for box in self._boxes:
            hole[self._clip(box, width, height).slices] = True
        hole = dilate_mask(hole, self._dilate)
        if hole.all():
            self._tell(f"mask {self.name}: covers a whole frame, and nothing is left to fill it from; is it inverted?")
        elif raw is not None and self.still and (share := float(raw.mean())) > MOST_HOLE:
            self._tell(f"mask {self.name}: covers {share:.0%} of the frame; is it inverted? White is what is replaced")
        hole.setflags(write=False)
        return hole

    def _check_shape(self, raw: Mask, width: int, height: int) -> None:
        mask_height, mask_width = raw.shape
        if abs(mask_width * height - mask_height * width) > max(width, height, mask_width, mask_height):
            self._tell(
                f"mask {self.name}: {mask_width}x{mask_height} is another shape than the video's {width}x{height}; "
                "stretched to fit"
            )

    def _clip(self, box: Box, width: int, height: int) -> Box:
        left, top = max(box.x, 0), max(box.y, 0)
        right, bottom = min(box.right, width), min(box.bottom, height)
        text = f"box {box.x},{box.y},{box.width},{box.height}"
        if left >= right or top >= bottom:
            raise InputError(f"{text}: outside the frame, which is {width}x{height} (as displayed)")
        clipped = Box(left, top, right - left, bottom - top)
        if clipped != box:
            self._tell(f"{text}: partly outside the frame, which is {width}x{height}; clipped")
        return clipped

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._warn(text)


def open_mask(
    mask: AnyMask | None = None,
    boxes: Sequence[Box] = (),
    *,
    object_id: int | None = None,
    dilate: int = 0,
    warn: Warn = log_warning,
) -> MaskSource:
    """Open a mask; hole is where it or any box says so.

    Args:
        mask: One image for all frames, a folder of images in natural order, or a video (luminance above 127 is hole),
            see `MaskSource.follow`. Or an array (H, W) of bool for all frames, True in the hole. Of any size: it is
            scaled to the frame's.
        boxes: Rectangles that are hole in every frame, pixels of the frame as displayed.
        object_id: Of images with a palette or lossless grey values, take only this index or value.
        dilate: Grow the hole by this many pixels of the frame, in all directions (a disc).
        warn: Takes a line about what was changed to fit; the log without it.

    Raises:
        InputNotFoundError: there is no such file or folder.
        MaskError: it cannot be read, or is one image that lacks the object.
        InputError: neither mask nor box is given, a value is out of range, or the array is none of that kind.
    """
    if mask is None and not boxes:
        raise InputError("nothing to replace: give a mask (--mask FILE) or a box (--box X,Y,W,H)")
    wrong = next((box for box in boxes if not isinstance(box, Box)), None)
    if wrong is not None:
        raise InputError(f"box is {wrong!r}, expected a Box, for instance Box(40, 30, 200, 80)")
    if dilate < 0:
        raise InputError(f"dilate is {dilate}, expected 0 or more pixels")
    if mask is None and object_id is not None:
        raise InputError("an object id needs a mask to choose from; give one too")
    reader = None if mask is None else _open_reader(mask, object_id)
    return MaskSource(reader, boxes, dilate=dilate, name=mask_name(mask) or "boxes", warn=warn)


def mask_name(mask: AnyMask | None) -> str | None:
    """Return what to call a mask in messages and reports; None if there is none."""
    if isinstance(mask, np.ndarray):
        return f"array of {'x'.join(map(str, reversed(mask.shape)))}"
    return None if mask is None else str(mask)


def parse_box(text: str) -> Box:
    """Read `X,Y,W,H`, whole pixels of the frame as displayed.

    Raises:
        InputError: the text is something else, or the box has no pixels.
    """
    if not re.fullmatch(r"\s*(-?\d+\s*,\s*){2}\d+\s*,\s*\d+\s*", text):
        raise InputError(f"box {text!r}: expected X,Y,W,H in whole pixels, for instance 40,30,200,80")
    box = Box(*(int(part) for part in text.split(",")))
    if box.width == 0 or box.height == 0:
        raise InputError(f"box {text}: no pixels in it; width and height must be 1 or more")
    return box


def scale_mask(mask: Mask, width: int, height: int) -> Mask:
    """Scale a mask to the nearest neighbour, pixel centres on pixel centres.

    Args:
        mask: (h, w), True in the hole.
        width: Width of the result, pixels.
        height: Height of the result, pixels.

    Returns:
        (height, width); the mask itself when the size is already right.
    """
    if mask.shape == (height, width):
        return mask
    rows = (2 * np.arange(height) + 1) * mask.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * mask.shape[1] // (2 * width)
    scaled: Mask = mask[rows[:, None], columns]
    return scaled


def dilate_mask(mask: Mask, radius: int) -> Mask:
    """Grow the hole by a disc: a pixel is hole if any hole pixel lies within `radius` pixels, centre to centre.

    Args:
        mask: (H, W), True in the hole.
        radius: Pixels, 0 or more; 1 adds the four neighbours.

    Returns:
        (H, W); it contains the mask.
    """
    if radius == 0 or not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Squared distances are whole numbers: half-way between two of them, rounding cannot decide.
    return np.asarray(distance <= np.sqrt(radius * radius + 0.5), np.bool_)


def _open_reader(mask: AnyMask, object_id: int | None) -> _Reader:
    if isinstance(mask, np.ndarray):
        return _Still(_checked(mask, object_id))
    path = Path(mask)
    if not path.exists():
        raise InputNotFoundError(f"mask {path}: no such file or folder")
    if path.is_dir():
        return _Folder(path, object_id)
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
        listed = ", ".join(map(str, ids[:MOST_IDS])) + (" and more" if len(ids) > MOST_IDS else "")
        raise MaskError(f"mask {path}: no pixel has the object id {object_id}, expected one of {listed}")
    return mask


def _is_still(container: InputContainer) -> bool:
    name = container.format.name
    if name == "gif":
        return sum(packet.size > 0 for packet in container.demux(video=0)) == 1
    return name.endswith("_pipe") or name == "image2"


class _Timeless:
    """Masks that are not shown at times of their own."""

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
    """A folder of images, one for each frame, read when their turn comes."""

    still = False

    def __init__(self, path: Path, object_id: int | None) -> None:
        names = [item for item in path.iterdir() if item.suffix.lower() in IMAGE_SUFFIXES and item.name[0] != "."]
        self._paths = sorted(names, key=lambda item: natural_key(item.name))
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
    """A video, one frame for each frame, decoded as it goes."""

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
            stream = container.streams.video[0]
            self.rate = stream.average_rate or stream.guessed_rate or None
            counted = stream.frames or sum(packet.size > 0 for packet in container.demux(stream))
        if counted == 0:
            raise MaskError(f"mask {self._path}: no picture in it; give an image, a folder of images or a video")
        return counted

    def times(self) -> MaskTimes | None:
        if self.rate is None:
            return None
        with open_pictures(self._path) as container:
            return MaskTimes.of(container, self.rate)

    def _decode(self) -> Generator[VideoFrame, None, None]:
        container = self._files.enter_context(open_pictures(self._path))
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield from container.decode(stream)

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
            raise MaskError(f"mask {self._path}: cannot be decoded after frame {self._decoded} ({error})") from error

    def close(self) -> None:
        self._pictures.close()
        self._files.close()


def _too_short(path: Path, frames: int) -> MaskError:
    return MaskError(
        f"mask {path}: ends after {frames} masks and the video goes on; "
        "give a mask for every frame, or one image for all"
    )
