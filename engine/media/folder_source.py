"""Pictures from a folder of images."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Image
from ptfan.engine.media.endings import IMAGE_ENDINGS, has_image_ending, has_video_ending
from ptfan.engine.media.frame_rate import USUAL_RATE
from ptfan.engine.media.png_mark import SIGNATURE
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.source import Source
from ptfan.engine.media.span import Span
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.natural_order import files_in
from ptfan.engine.notices import Warn

__all__ = ["FolderSource", "images_in"]


class FolderSource(Source):
    """The images of a folder, in the order that people number them: 2 comes before 10."""

    def __init__(self, folder: Path, span: Span, rate: Fraction | None, warn: Warn) -> None:
        """List the images and read the first.

        Args:
            folder: Where they lie.
            span: The part that is wanted.
            rate: Frames a second to take them for; None for the usual ones.
            warn: Takes a line about what could not be read, or was changed.

        Raises:
            InputError: There are no images, the first one cannot be read, or they differ in size.
        """
        self._folder, self._warn, self._timed = folder, warn, rate is not None
        rate = rate or USUAL_RATE
        self._paths = images_in(folder)
        self._first, self._stop = (_position(moment, rate) for moment in (span.start, span.end))
        self._stop = len(self._paths) if span.end is None else min(self._stop, len(self._paths))
        if self._first >= self._stop:
            raise InputError(f"{folder}: no image is shown {span.words}; there are {len(self._paths)} of them")
        first = _read(self._paths[self._first], alpha=True)
        self._alpha = first.shape[2] == 4
        self._shape, self._dtype = first.shape[:2], first.dtype
        self._info = self._describe(span, rate)
        self._check_sizes()

    @property
    def info(self) -> StreamInfo:
        """Size and number of the images."""
        return self._info

    def __iter__(self) -> Iterator[Sample]:
        """Read the images.

        Raises:
            InputError: An image cannot be read, or differs from the first.
        """
        for index in range(self._first, self._stop):
            pixels = _read(self._paths[index], alpha=self._alpha)
            self._check(self._paths[index], pixels)
            native = av.VideoFrame.from_ndarray(pixels, format=self._info.pixel_format)
            native.pts, native.time_base = index, self._info.time_base
            image = np.ascontiguousarray(pixels[..., :3])
            yield Sample(index, image, index, self._info.time_base, native)

    def _describe(self, span: Span, rate: Fraction) -> StreamInfo:
        """Say what the folder holds."""
        deep, count = self._dtype == np.uint16, self._stop - self._first
        layout = "rgba" if self._alpha else "rgb"
        return StreamInfo(
            name=str(self._folder),
            width=self._shape[1],
            height=self._shape[0],
            depth=16 if deep else 8,
            pixel_format=layout + {"rgb": ("24", "48le"), "rgba": ("", "64le")}[layout][deep],
            time_base=1 / rate,
            rate=rate,
            frames=count,
            total=len(self._paths),
            first=self._first,
            duration=count / rate,
            begin=self._first / rate,
            span=span,
            has_alpha=self._alpha,
            stems=tuple(path.stem for path in self._paths),
            timed=self._timed,
        )

    def _check_sizes(self) -> None:
        """Refuse an image of another size before work starts, where its size can be read cheaply."""
        for path in self._paths[self._first : self._stop]:
            size = _png_size(path)
            if size and size != (self._info.width, self._info.height):
                raise self._mismatch(path, f"is {size[0]}x{size[1]}")

    def _check(self, path: Path, pixels: Image) -> None:
        """Refuse an image of another size or depth than the first."""
        if pixels.shape[:2] != self._shape:
            raise self._mismatch(path, f"is {pixels.shape[1]}x{pixels.shape[0]}")
        if pixels.dtype != self._dtype:
            raise self._mismatch(path, f"has {pixels.dtype.itemsize * 8} bits a sample")
        if (pixels.shape[2] == 4) != self._alpha:
            raise self._mismatch(path, "has no alpha")

    def _mismatch(self, path: Path, what: str) -> InputError:
        """Say that an image differs from the first."""
        info = self._info
        alpha = " and alpha" if self._alpha else ""
        first = self._paths[self._first].name
        expected = f"{info.width}x{info.height} and {info.depth} bits a sample{alpha} as {first}"
        return InputError(f"{path}: {what}, expected {expected}: the images of a folder must be alike")


def images_in(folder: Path) -> list[Path]:
    """List the images of a folder in natural order.

    Raises:
        InputError: There are none.
    """
    found = files_in(folder, has_image_ending)
    if not found:
        if files_in(folder, has_video_ending):
            raise InputError(f"{folder}: holds videos, no images; give {folder}/*")
        raise InputError(f"{folder}: holds no images{_others(folder)}; expected files such as 000000.png")
    return found


def _others(folder: Path) -> str:
    """Say which files a folder without images holds, as some are of kinds that are not read."""
    endings = sorted({path.suffix.lower() for path in files_in(folder, lambda path: bool(path.suffix))})
    if not endings:
        return ""
    known = ", ".join(f".{ending}" for ending in IMAGE_ENDINGS)
    return f" of a kind that is read ({known}), but {', '.join(endings[:3])}"


def _position(moment: Fraction | None, rate: Fraction) -> int:
    """Return how many images are shown before a moment."""
    if moment is None:
        return 0
    ticks = moment * rate
    return -(-ticks.numerator // ticks.denominator)


def _read(path: Path, *, alpha: bool) -> Image:
    """Read an image as (H, W, 3) RGB, or (H, W, 4) RGBA if it has alpha and that is wanted; uint8 or uint16."""
    content = np.frombuffer(_content(path), np.uint8)
    pixels = _decode(content, cv2.IMREAD_UNCHANGED) if alpha else None
    if pixels is not None and pixels.ndim == 3 and pixels.shape[2] == 4:
        return np.asarray(cv2.cvtColor(_checked(path, pixels), cv2.COLOR_BGRA2RGBA))
    pixels = _decode(content, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if pixels is None:
        raise InputError(f"{path}: is not an image that can be read, or is damaged or too large")
    return np.asarray(cv2.cvtColor(_checked(path, pixels), cv2.COLOR_BGR2RGB))


def _decode(content: NDArray[np.uint8], flags: int) -> Image | None:
    """Decode an image; None where it is none, is damaged, or is larger than OpenCV takes (2 ** 30 pixels)."""
    try:
        return cv2.imdecode(content, flags)
    except cv2.error:
        return None


def _checked(path: Path, pixels: Image) -> Image:
    """Refuse samples other than 8 or 16 bits."""
    if pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path}: has samples of type {pixels.dtype}, expected 8 or 16 bits")
    return pixels


def _content(path: Path, size: int = -1) -> bytes:
    """Return the first bytes of a file, or all."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _png_size(path: Path) -> tuple[int, int] | None:
    """Read width and height from the head of a PNG file; None when it is none."""
    head = _content(path, 24)
    if len(head) < 24 or not head.startswith(SIGNATURE):
        return None
    width, height = struct.unpack(">II", head[16:])
    return width, height
