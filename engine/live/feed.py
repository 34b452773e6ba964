"""One connection to a live source: opened, described by its first frame, read to where it ends or breaks off."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Protocol

import av

from ptfan.engine.checks import check_numbers
from ptfan.engine.errors import InputNotFoundError, UnreadableError
from ptfan.engine.live.address import is_device, is_endless, source_format
from ptfan.engine.live.retimer import TIME_BASE
from ptfan.engine.media.deinterlacer import deinterlace
from ptfan.engine.media.ffmpeg_options import FfmpegOptions
from ptfan.engine.media.hardware import HardwareDecoding
from ptfan.engine.media.input_container import PLAYLISTS
from ptfan.engine.media.span import Span
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.media.video_file import VideoFile
from ptfan.engine.media.video_probe import describe_stream
from ptfan.engine.media.y4m_source import Y4mSource
from ptfan.engine.notices import Warn

__all__ = ["Feed", "FeedOptions", "open_feed"]

PROBE = {"probesize": "1000000", "analyzeduration": "1000000"}
"""How much of a stream is looked at before its first frame is decoded: bytes, microseconds."""
USUAL = {
    "rtsp": {"rtsp_transport": "tcp"},
    "udp": {"fifo_size": "50000", "overrun_nonfatal": "1"},
}
"""Options by protocol: a lost packet costs more than its delay, and a burst must not end the stream."""
RAW = re.compile(r"(\d+)x(\d+):(\w+)@(\d+(?:\.\d+)?(?:/\d+)?)")


@dataclass(frozen=True, kw_only=True)
class FeedOptions:
    """How a source is opened."""

    raw: str | None = None
    """What standard input brings instead of Y4M: `WxH:FORMAT@RATE`, for instance `640x480:yuv420p@25`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Further options of FFmpeg's, by name."""
    patience: float = 5.0
    """Seconds without a frame after which a source counts as lost; twice as long while it opens."""
    hwaccel: str | None = None
    """A device that is to decode it, see `open_source`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", FfmpegOptions(self.options))
        check_numbers("", self, "patience", least=0.1, unit="seconds")
        HardwareDecoding.parse(self.hwaccel)


class Feed(Protocol):
    """A source that is open."""

    @property
    def info(self) -> StreamInfo:
        """What is known of it."""

    @property
    def damaged(self) -> int:
        """Packets so far that could not be decoded."""

    @property
    def finite(self) -> bool:
        """Whether it ends for good; else it was lost when it ends."""

    @property
    def hasty(self) -> bool:
        """Whether it brings frames sooner than they are to be seen: it lies there whole, or comes in parts."""

    def frames(self) -> Iterator[av.VideoFrame]:
        """Decode to where the source ends or breaks off."""

    def close(self) -> None:
        """Let go of it."""


def open_feed(address: str, options: FeedOptions, warn: Warn) -> Feed:
    """Open a source and decode its first frame.

    Args:
        address: A URL, a camera's device, a file, or `-` for Y4M or raw frames on standard input.
        options: How.
        warn: Takes a line about what was changed.

    Raises:
        InputNotFoundError: There is no such file or device.
        UnreadableError: It is of a kind that cannot be read here.
        InputError: It cannot be opened, or brings no frame.
    """
    if address == "-" and options.hwaccel is not None:
        raise UnreadableError(
            f"-: hwaccel {options.hwaccel} decodes videos, and this is none that is coded; leave it out"
        )
    if address == "-" and options.raw is None:
        return _Y4mFeed(Y4mSource(_Pipe(), "standard input", Span(), warn))  # type: ignore[arg-type]
    if address == "-":
        return _VideoFeed(_open_raw(options), finite=True, hasty=False)
    if not is_endless(address) or is_device(address):
        path = Path(address.removeprefix("file://"))
        if not path.exists():
            raise InputNotFoundError(f"{address}: no such {'device' if is_device(address) else 'file'}")
    file = _open_video(address, options)
    finite = not is_endless(address) or (file.container.duration or 0) > 0
    hasty = finite or file.container.format.name in PLAYLISTS
    return _VideoFeed(file, finite=finite, hasty=hasty)


class _Y4mFeed:
    """Y4M on standard input."""

    damaged, finite, hasty = 0, True, False

    def __init__(self, source: Y4mSource) -> None:
        self._source = source
        self.info = source.info

    def frames(self) -> Iterator[av.VideoFrame]:
        return self._source.frames()

    def close(self) -> None:
        self._source.close()


class _VideoFeed:
    """Whatever FFmpeg opens."""

    def __init__(self, file: VideoFile, *, finite: bool, hasty: bool) -> None:
        self._file, self.finite, self.hasty = file, finite, hasty
        try:
            self._frames = deinterlace(self._file.frames())
            first = next(self._frames, None)
            if first is None:
                raise self._file.no_frame("no frame of it can be decoded, or none came in time")
            self._first = first
            info = describe_stream(file.name, file, first)
        except BaseException:
            self._file.close()
            raise
        # Sound and all else stay behind; time is told anew.
        self.info = replace(info, path=None, clocked=False, origin=Fraction(0), time_base=TIME_BASE)

    @property
    def damaged(self) -> int:
        return self._file.damaged

    def frames(self) -> Iterator[av.VideoFrame]:
        return chain([self._first], self._frames)

    def close(self) -> None:
        self._file.close()


class _Pipe:
    """Standard input as it comes: what is there is read, nothing waits for a buffer to fill."""

    def read(self, size: int) -> bytes:
        return os.read(sys.stdin.fileno(), size)

    def readline(self, limit: int) -> bytes:
        line = b""
        while len(line) < limit and not line.endswith(b"\n") and (letter := self.read(1)):
            line += letter
        return line


def _open_video(address: str, options: FeedOptions) -> VideoFile:
    hardware = HardwareDecoding.parse(options.hwaccel)
    if not is_endless(address):
        return VideoFile(address, hardware=hardware, options=dict(options.options))
    scheme = address.partition("://")[0].lower().removesuffix("s")
    return VideoFile(
        address,
        live=True,
        hardware=hardware,
        format=source_format(address),
        options={**({} if is_device(address) else PROBE), **USUAL.get(scheme, {}), **options.options},
        timeout=(2 * options.patience, options.patience),
    )


def _open_raw(options: FeedOptions) -> VideoFile:
    match = RAW.fullmatch(options.raw or "")
    if match is None or not _is_pixel_format(match[3]):
        raise UnreadableError(f"raw {options.raw!r}: expected WxH:FORMAT@RATE, for instance 640x480:yuv420p@25")
    frames = {"video_size": f"{match[1]}x{match[2]}", "pixel_format": match[3], "framerate": match[4]}
    return VideoFile(
        _Pipe(), name="standard input", live=True, format="rawvideo", options={**frames, **options.options}
    )


def _is_pixel_format(name: str) -> bool:
    try:
        av.VideoFormat(name)
    except ValueError:
        return False
    return True
