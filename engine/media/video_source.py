"""The frames of a video file."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

import av
import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.media.clock import Clock
from ptfan.engine.media.deinterlacer import deinterlace
from ptfan.engine.media.hardware import HardwareDecoding
from ptfan.engine.media.pixel_layout import plain_format
from ptfan.engine.media.rgb import RgbConverter
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.source import Source
from ptfan.engine.media.span import Span
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.media.video_file import VideoFile
from ptfan.engine.media.video_probe import VideoProbe
from ptfan.engine.notices import Warn

__all__ = ["VideoSource"]


class VideoSource(Source):
    """The film in anything that FFmpeg opens, see `VideoFile.stream`."""

    def __init__(self, location: str, span: Span, warn: Warn, hardware: HardwareDecoding | None = None) -> None:
        """Open a video far enough to know its `info`.

        Args:
            location: A file, or a URL that FFmpeg reads.
            span: The part that is wanted.
            warn: Takes a line about what could not be read, or was changed.
            hardware: A device that is to decode it; the pictures are those that the CPU's decoder gives.

        Raises:
            UnreadableError: The device is not there, or cannot decode it.
            InputError: It is no video, no frame of it can be decoded, or none lies in the span.
        """
        self._location = location
        self._warn = warn
        self._hardware = hardware
        self._probe = VideoProbe.of(location, span, hardware)
        if self.info.interlaced:
            warn(f"{self.info.name}: is interlaced; its frames are deinterlaced")
        if self.info.seams:
            warn(f"{self.info.name}: {_count(self.info)}; what lies behind is shown right after what lies before")
        if self._probe.alpha_lost:
            warn(f"{self.info.name}: its alpha channel is dropped: the decoder does not read it")

    @property
    def info(self) -> StreamInfo:
        """What is known before the frames are read."""
        return self._probe.info

    def __iter__(self) -> Iterator[Sample]:
        """Decode the frames of the span.

        Raises:
            InputError: The frames change their size, or there are none.
        """
        file = VideoFile(self._location, hardware=self._hardware, seams=self.info.seams)
        try:
            first, frames = self._seek(file)
            yield from self._samples(file, first, frames)
        finally:
            file.close()

    def _seek(self, file: VideoFile) -> tuple[int, Iterator[av.VideoFrame]]:
        """Go to the key frame before the span, where the time stamps allow; return its index and the frames from it."""
        times, start = self._probe.scan.times, self.info.first
        if not start or self._probe.scan.in_order or self.info.seams:
            return 0, file.frames()
        with suppress(av.FFmpegError):  # not every kind of file can be searched
            file.container.seek(int(times[start]), stream=file.stream)
            frames = file.frames()
            frame = next(frames, None)
            index = -1 if frame is None else self._index(frame, -1)
            if frame is not None and 0 <= index <= start:
                return index, chain([frame], frames)
            file.container.seek(0)
        return 0, file.frames()

    def _index(self, frame: av.VideoFrame, due: int) -> int:
        """Return which frame of the video one is, by its time stamp where that can tell, so that gaps do no harm."""
        times = self._probe.scan.times
        if self._probe.scan.in_order or frame.pts is None or not len(times):
            return due
        index = int(np.searchsorted(times, frame.pts))
        return index if index < len(times) and times[index] == frame.pts else due

    def _samples(self, file: VideoFile, index: int, frames: Iterator[av.VideoFrame]) -> Iterator[Sample]:
        """Turn frames, from the one of an index on, into samples as far as they lie in the span."""
        info, rgb, read = self.info, RgbConverter(self.info.orientation), 0
        clock = Clock(info.time_base, info.rate)
        for frame in deinterlace(frames):
            index = self._index(frame, index)
            time = self._stamp(frame, index, clock) * info.time_base - info.origin
            if info.span.is_after(time):
                break
            if not info.span.is_before(time):
                read += 1
                yield self._sample(index, self._plain(frame, index), rgb)
            index += 1
        else:
            self._report(file, read)
        if not read:
            raise InputError(f"{self.info.name}: no frame is shown {info.span.words}")

    def _stamp(self, frame: av.VideoFrame, index: int, clock: Clock) -> int:
        """Set a frame's time stamp, in ticks, and return it."""
        scan = self._probe.scan
        if scan.in_order and index < len(scan.times):
            frame.pts = int(scan.times[index])
        return clock.stamp(frame)

    def _sample(self, index: int, frame: av.VideoFrame, rgb: RgbConverter) -> Sample:
        """Convert one frame."""
        try:
            image = rgb.convert(frame)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            reason = f"its colour matrix (code {frame.colorspace}) cannot be converted to RGB"
            raise InputError(f"{self.info.name}: {reason}; convert the video first") from error
        return Sample(index, image, frame.pts or 0, self.info.time_base, frame)

    def _plain(self, frame: av.VideoFrame, index: int) -> av.VideoFrame:
        """Return a frame in a format of whole samples, and refuse one of another size than the first."""
        info = self.info
        if info.orientation.size(frame.width, frame.height) != (info.width, info.height):
            raise InputError(
                f"{self.info.name}: frame {index} is coded as {frame.width}x{frame.height}, the first one is shown as "
                f"{info.width}x{info.height}: split the video where its size changes"
            )
        plain = plain_format(frame.format.name)
        return frame if plain == frame.format.name else frame.reformat(format=plain)

    def _report(self, file: VideoFile, read: int) -> None:
        """Say what the file holds but could not be read."""
        if self._probe.missing or file.damaged:
            promised = f" of {self._probe.promised}" if self._probe.promised else ""
            self._warn(f"{self.info.name}: is damaged or cut short: {read} frames{promised} could be read")


def _count(info: StreamInfo) -> str:
    """Say how often time stamps jump back."""
    often = "once" if len(info.seams) == 1 else f"{len(info.seams)} times"
    return f"its time stamps jump back {often}, as where recordings were joined"
