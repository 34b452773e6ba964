"""Decoded frames into packets of a video stream."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av

from ptfan.engine.media.clock import Clock
from ptfan.engine.media.encoder_plan import EncoderPlan
from ptfan.engine.media.frame_converter import FrameConverter
from ptfan.engine.media.orientation import UPRIGHT

__all__ = ["VideoEncoder"]

_FRAME_DURATION = 1 << 8
"""FFmpeg's AV_CODEC_FLAG_FRAME_DURATION: a frame's duration goes into its packet."""


class VideoEncoder:
    """The video stream of an output.

    Attributes:
        stream: The stream in the container.
        plan: How it is encoded.
        rounded: Seconds that a time stamp had to be moved by, at most, because only a constant rate can be kept;
            0 where that is less than a third of a frame.
    """

    def __init__(self, container: av.container.OutputContainer, plan: EncoderPlan) -> None:
        """Add the stream to a container; the encoder itself is opened with the container's header."""
        os.environ.setdefault("SVT_LOG", "1")  # otherwise SVT-AV1 writes a page about itself to standard error
        stream = container.add_stream(plan.encoder.name, rate=plan.rate, options=dict(plan.options))
        assert isinstance(stream, av.VideoStream)
        self.stream, self.rounded = stream, Fraction(0)
        self.plan = plan
        self._clock = Clock(plan.time_base, plan.rate)
        self._shown: av.VideoFrame | None = None
        self._converter = FrameConverter(plan.pixel_format, plan.colour, plan.turn, always=plan.recoloured)
        self._set_up()

    def encode(self, frame: av.VideoFrame, time: Fraction) -> list[av.Packet[av.VideoStream]]:
        """Encode a frame that is to be shown at `time`, in seconds; return the packets that are ready."""
        ready = self._converter.convert(frame)
        with _lent(ready):
            before, tick = self._clock.last, self._stamp(ready, time)
            packets = self._bridge(ready, before, tick)
            ready.pict_type = 0  # how it was coded before must not steer this encoder
            packets += self.stream.encode(ready)
        self._shown = ready
        return packets

    def flush(self) -> list[av.Packet[av.VideoStream]]:
        """Return the packets that are left."""
        return self.stream.encode(None)

    def _bridge(self, frame: av.VideoFrame, before: int | None, tick: int) -> list[av.Packet[av.VideoStream]]:
        """Return what belongs on the ticks between the last frame and the next one, where none may be empty."""
        late = self.plan.counted and before is None and tick > 0
        if not self.plan.gapless:
            return self._delay() if late else []
        if late:
            return self._repeat(frame, 0, tick)
        return [] if before is None or self._shown is None else self._repeat(self._shown, before + 1, tick)

    def _repeat(self, frame: av.VideoFrame, first: int, until: int) -> list[av.Packet[av.VideoStream]]:
        """Encode a frame once on each tick from the first one on."""
        packets: list[av.Packet[av.VideoStream]] = []
        with _lent(frame):
            for tick in range(first, until):
                frame.pts, frame.time_base, frame.duration = tick, self.plan.time_base, 1
                packets += self.stream.encode(frame)
        return packets

    def _delay(self) -> list[av.Packet[av.VideoStream]]:
        """Return an empty packet for tick 0; the container adds those that are missing behind it by itself."""
        packet: Any = av.Packet(0)
        packet.stream, packet.pts, packet.dts, packet.time_base = self.stream, 0, 0, self.plan.time_base
        return [packet]

    def _set_up(self) -> None:
        """Tell the encoder and the stream what the frames are."""
        plan, context = self.plan, self.stream.codec_context
        context.width, context.height, context.pix_fmt = plan.width, plan.height, plan.pixel_format
        context.time_base = plan.time_base
        if plan.sample_aspect:
            context.sample_aspect_ratio = plan.sample_aspect
        context.flags |= _FRAME_DURATION
        if plan.tag is not None:
            context.codec_tag = plan.tag
        plan.colour.write(context)
        self.stream.disposition = av.stream.Disposition.default  # the only pictures there are
        if plan.orientation != UPRIGHT:
            self.stream.set_display_matrix(plan.orientation.matrix)

    def _stamp(self, frame: av.VideoFrame, time: Fraction) -> int:
        """Set the time stamp, in whole ticks and after the one before, and the duration; return the time stamp."""
        base = self.plan.time_base
        ticks, length = time / base, frame.duration * (frame.time_base or base)
        frame.pts, frame.time_base = round(ticks), base
        # Ogg takes the end of a packet for its time, so that one that lasted longer would come behind the next ones.
        frame.duration = 1 if self.plan.gapless else round(length / base)
        tick = self._clock.stamp(frame)
        if self.plan.fixed_rate and abs(tick - ticks) > Fraction(1, 3):
            self.rounded = max(self.rounded, abs(tick - ticks) * base)
        return tick


@contextmanager
def _lent(frame: av.VideoFrame) -> Iterator[None]:
    """Give a frame its time back at the end."""
    lent = frame.pts, frame.time_base, frame.duration
    try:
        yield
    finally:
        frame.pts, frame.time_base, frame.duration = lent
