"""Finding out what a video holds before its frames are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.decoder import tells_alpha
from ptfan.engine.media.frame_rate import constant_rate
from ptfan.engine.media.hardware import HardwareDecoding
from ptfan.engine.media.hdr import Hdr
from ptfan.engine.media.orientation import Orientation
from ptfan.engine.media.packet_scan import PacketScan
from ptfan.engine.media.pixel_layout import has_alpha, plain_format
from ptfan.engine.media.rgb import depth_of
from ptfan.engine.media.span import EVERYTHING, Span
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.media.stream_name import stream_name
from ptfan.engine.media.video_file import VideoFile
from ptfan.engine.redaction import redacted

__all__ = ["VideoProbe", "describe_stream"]


@dataclass(frozen=True, eq=False)
class VideoProbe:
    """What the container says, what its packets say, and whether the two agree."""

    info: StreamInfo
    """What is known of the video."""
    scan: PacketScan
    """Its packets."""
    missing: bool
    """Whether the container promises more than its packets hold: it was cut short."""
    promised: int | None
    """Frames that the container says it has; None when it does not say."""
    alpha_lost: bool
    """Whether the container speaks of an alpha channel that the decoder does not deliver."""

    @classmethod
    def of(cls, location: str, span: Span, hardware: HardwareDecoding | None = None) -> VideoProbe:
        """Decode the first frame of a video and read all its packets.

        Args:
            location: What to open.
            span: The part that is wanted.
            hardware: What is to decode it, see `VideoFile`.

        Raises:
            InputError: It is not a video, no frame of it can be decoded, or none of them lies in the span.
        """
        file = VideoFile(location, hardware=hardware)
        try:
            frame = next(file.frames(), None)
            if frame is None:
                raise file.no_frame("not one frame can be decoded: it is empty, damaged or cut short")
            info = describe_stream(location, file, frame)
            scan = PacketScan.of(location, info.interlaced)
            promised = _promise(file, scan)
            return cls(
                info=_count(info, scan, span),
                scan=scan,
                missing=_is_cut_short(file, scan, promised),
                promised=promised,
                alpha_lost=tells_alpha(file.stream) and not info.has_alpha,
            )
        finally:
            file.close()


def describe_stream(location: str, file: VideoFile, frame: av.VideoFrame) -> StreamInfo:
    """Gather what the container, the stream and the first frame say of a video."""
    container, stream, orientation = file.container, file.stream, Orientation.of(frame)
    width, height = orientation.size(frame.width, frame.height)
    pixel_format = plain_format(frame.format.name)
    return StreamInfo(
        name=redacted(location),
        width=width,
        height=height,
        depth=depth_of(frame),
        pixel_format=pixel_format,
        time_base=frame.time_base or stream.time_base or Fraction(1, 90000),
        rate=stream.average_rate or stream.guessed_rate or None,
        origin=Fraction(container.start_time or 0, av.time_base),
        orientation=orientation,
        colour=ColourTags.of(frame),
        hdr=Hdr.of(frame),
        sample_aspect=stream.sample_aspect_ratio or None,
        codec=stream.codec_context.name,
        companions=tuple(stream_name(other) for other in container.streams if other.type in ("audio", "subtitle")),
        has_alpha=has_alpha(pixel_format),
        interlaced=frame.interlaced_frame,
        path=location,
        clocked=file.clocked,
    )


def _count(info: StreamInfo, scan: PacketScan, span: Span) -> StreamInfo:
    """Count the frames in the span, and those before it."""
    if info.rate is not None:
        info = replace(info, constant_rate=constant_rate(scan.times, info.time_base, info.rate))
    info = replace(info, total=scan.frames, opening=_opening(info, scan))
    info = replace(
        info, span=span, seams=scan.seams, duration=_length(info, scan, span), begin=info.origin + (span.start or 0)
    )
    if scan.frames is None or scan.frames != len(scan.times):
        return replace(info, frames=scan.frames if span == EVERYTHING else None)
    first, stop = (_position(info, scan, moment, other) for moment, other in ((span.start, 0), (span.end, scan.frames)))
    if stop <= first:
        shown = float(int(scan.times[-1]) * info.time_base - info.origin)
        raise InputError(f"{info.name}: no frame is shown {span.words}; the last one is at {shown:g} s")
    return replace(info, first=first, frames=stop - first, begin=int(scan.times[first]) * info.time_base)


def _opening(info: StreamInfo, scan: PacketScan) -> Fraction:
    """Return the time stamp of the first frame, in seconds."""
    return int(scan.times[0]) * info.time_base if len(scan.times) else info.origin


def _position(info: StreamInfo, scan: PacketScan, moment: Fraction | None, other: int) -> int:
    """Return how many frames are shown before a moment, or `other` without one."""
    if moment is None:
        return other
    ticks = (moment + info.origin) / info.time_base
    return int(np.searchsorted(scan.times, -(-ticks.numerator // ticks.denominator), side="left"))


def _length(info: StreamInfo, scan: PacketScan, span: Span) -> Fraction | None:
    """Return the seconds that a span of the video lasts."""
    if scan.end is None:
        return None
    whole = scan.end * info.time_base - info.origin
    end = whole if span.end is None else min(span.end, whole)
    return max(Fraction(0), end - (span.start or 0))


def _promise(file: VideoFile, scan: PacketScan) -> int | None:
    """Return how many frames the container says it has; None when it does not say. AVI counts empty ticks as well."""
    empty = scan.end - scan.packets if scan.in_order and scan.end is not None else 0
    return file.stream.frames - max(0, empty) if file.stream.frames else None


def _is_cut_short(file: VideoFile, scan: PacketScan, promised: int | None) -> bool:
    """Tell whether the container promises frames that are not there."""
    stream, container = file.stream, file.container
    if promised is not None:
        return scan.packets < promised
    if "matroska" not in container.format.name:  # others pass its tag on, untrue of what was cut
        return False
    promise = _seconds(stream.metadata.get("DURATION", ""))
    if promise is None and len(container.streams) == 1:
        promise = Fraction(container.duration or 0, av.time_base)
    if promise is None or scan.end is None or not stream.time_base:
        return False
    return scan.end * stream.time_base < promise - 2 / (stream.average_rate or 10)


def _seconds(clock: str) -> Fraction | None:
    """Read a duration written as `HH:MM:SS.fraction`; None when it is not one."""
    try:
        hours, minutes, seconds = clock.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds.strip("\x00"))
    except ValueError:
        return None
