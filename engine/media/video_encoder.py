"""Decoded frames into packets of a video stream."""

from __future__ import annotations

import os
from fractions import Fraction

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
        rounded: Whether a frame's time stamp had to be moved, because only a constant rate can be kept.
    """

    def __init__(self, container: av.container.OutputContainer, plan: EncoderPlan) -> None:
        """Add the stream to a container; the encoder itself is opened with the container's header."""
        os.environ.setdefault("SVT_LOG", "1")  # otherwise SVT-AV1 writes a page about itself to standard error
        stream = container.add_stream(plan.encoder.name, rate=plan.rate, options=dict(plan.options))
        assert isinstance(stream, av.VideoStream)
        self.stream, self.rounded = stream, False
        self.plan = plan
        self._clock = Clock(plan.time_base, plan.rate)
        self._converter = FrameConverter(plan.pixel_format, plan.colour, plan.turn)
        self._set_up()

    def encode(self, frame: av.VideoFrame, time: Fraction) -> list[av.Packet[av.VideoStream]]:
        """Encode a frame that is to be shown at `time`, in seconds; return the packets that are ready."""
        ready = self._converter.convert(frame)
        lent = ready.pts, ready.time_base, ready.duration
        self._stamp(ready, time)
        ready.pict_type = 0  # how it was coded before must not steer this encoder
        try:
            return self.stream.encode(ready)
        finally:
            ready.pts, ready.time_base, ready.duration = lent

    def flush(self) -> list[av.Packet[av.VideoStream]]:
        """Return the packets that are left."""
        return self.stream.encode(None)

    def _set_up(self) -> None:
        """Tell the encoder and the stream what the frames are."""
        plan, context = self.plan, self.stream.codec_context
        context.width, context.height, context.pix_fmt = plan.width, plan.height, plan.pixel_format
        context.time_base = plan.time_base
        if plan.sample_aspect:
            context.sample_aspect_ratio = plan.sample_aspect
        context.flags |= _FRAME_DURATION
        plan.colour.write(context)
        if plan.orientation != UPRIGHT:
            self.stream.set_display_matrix(plan.orientation.matrix)

    def _stamp(self, frame: av.VideoFrame, time: Fraction) -> None:
        """Set the time stamp, in whole ticks and after the one before, and the duration."""
        base = self.plan.time_base
        ticks, length = time / base, frame.duration * (frame.time_base or base)
        frame.pts, frame.time_base = round(ticks), base
        frame.duration = round(length / base)
        moved = abs(self._clock.stamp(frame) - ticks)
        self.rounded |= self.plan.fixed_rate and moved > Fraction(1, 3)
