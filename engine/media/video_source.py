"""Frames of a video file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av

from ptfan.engine.errors import InputError
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.notice import Warn
from ptfan.engine.media.orientation import Orientation
from ptfan.engine.media.packet_scan import PacketScan
from ptfan.engine.media.rgb import RgbConverter, depth_of
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.source import Source
from ptfan.engine.media.stream_info import StreamInfo

__all__ = ["VideoSource"]


class VideoSource(Source):
    """The first video stream of anything that FFmpeg opens."""

    def __init__(self, location: str, *, start: Fraction | None, end: Fraction | None, warn: Warn) -> None:
        """Open a video far enough to know its `info`.

        Args:
            location: A file, or a URL that FFmpeg opens.
            start: Seconds from the beginning of the first frame that is wanted.
            end: Seconds from the beginning where to stop, that frame excluded.
            warn: Takes a line about what could not be read or was changed.

        Raises:
            InputError: It is no video, or no frame of it can be decoded.
        """
        self._location = location
        self._warn = warn
        self._info = _probe(location, start, end)

    @property
    def info(self) -> StreamInfo:
        """What is known before the frames are read."""
        return self._info

    def __iter__(self) -> Iterator[Sample]:
        """Decode the frames between start and end."""
        info = self._info
        rgb = RgbConverter()
        index = info.first
        with _open(self._location) as container:
            for frame in container.decode(_video_stream(container, self._location)):
                pts = frame.pts
                time = pts * info.time_base - info.origin
                if info.start is not None and time < info.start:
                    continue
                if info.end is not None and time >= info.end:
                    break
                yield Sample(index, rgb.convert(frame), pts, info.time_base, frame)
                index += 1


def _open(location: str) -> av.container.InputContainer:
    """Open a container, or say in one line why not."""
    try:
        return av.open(location)
    except av.FFmpegError as error:
        raise InputError(f"{location}: not a video that can be read ({error.strerror}).") from error


def _video_stream(container: av.container.InputContainer, location: str) -> av.VideoStream:
    """Return the first stream of moving pictures, set to decode with several threads."""
    for stream in container.streams.video:
        stream.thread_type = "AUTO"
        return stream
    raise InputError(f"{location}: has no video stream.")


def _probe(location: str, start: Fraction | None, end: Fraction | None) -> StreamInfo:
    """Decode the first frame and count the packets."""
    with _open(location) as container:
        stream = _video_stream(container, location)
        frame = next(container.decode(stream), None)
        if frame is None:
            raise InputError(f"{location}: no frame can be decoded.")
        info = _describe(location, container, stream, frame)
        scan = PacketScan.of(location, stream.index)
    return _cut(info, scan, start, end)


def _describe(
    location: str, container: av.container.InputContainer, stream: av.VideoStream, frame: av.VideoFrame
) -> StreamInfo:
    """Gather what the container, the stream and the first frame say."""
    orientation = Orientation.of(frame)
    width, height = orientation.size(frame.width, frame.height)
    origin = Fraction(container.start_time or 0, av.time_base)
    return StreamInfo(
        name=location,
        width=width,
        height=height,
        depth=depth_of(frame),
        pixel_format=frame.format.name,
        time_base=stream.time_base or Fraction(1, 90000),
        rate=stream.average_rate or stream.guessed_rate,
        origin=origin,
        orientation=orientation,
        colour=ColourTags.of(frame),
        sample_aspect=stream.sample_aspect_ratio or Fraction(1),
        codec=stream.codec_context.name,
        has_audio=bool(container.streams.audio),
        has_alpha=any(part.is_alpha for part in frame.format.components),
        interlaced=frame.interlaced_frame,
        path=location,
    )


def _cut(info: StreamInfo, scan: PacketScan, start: Fraction | None, end: Fraction | None) -> StreamInfo:
    """Count the frames between start and end."""
    times = [int(time) * info.time_base - info.origin for time in scan.times]
    first = sum(1 for time in times if start is not None and time < start)
    frames = sum(1 for time in times[first:] if end is None or time < end)
    return replace(info, start=start, end=end, first=first, frames=frames if scan.exact else None)
