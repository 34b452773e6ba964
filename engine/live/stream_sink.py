"""Pictures sent over a network, or into an HLS folder, as they come."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import av

from ptfan.engine.errors import InputError, OutputError
from ptfan.engine.frame import Frame
from ptfan.engine.interrupts import signals_quit
from ptfan.engine.live.address import sink_format
from ptfan.engine.live.unused_options import UnusedOptions
from ptfan.engine.media import Sample, Sink, StreamInfo
from ptfan.engine.media.alpha_loss import AlphaLoss
from ptfan.engine.media.encoder_plan import EncoderPlan
from ptfan.engine.media.encoding import Encoding
from ptfan.engine.media.planes import composite_planes
from ptfan.engine.media.video_encoder import VideoEncoder
from ptfan.engine.media.video_file import NO_PROTOCOL
from ptfan.engine.notices import Warn
from ptfan.engine.redaction import redacted

__all__ = ["LIVE_QUALITY", "StreamSink"]

LIVE_QUALITY = 23
"""On the scale of x264's CRF: what goes over a network is to be small."""
KEY_SECONDS = 2
"""Between two key frames, at which a viewer can come in."""
AT_ONCE = {
    "libx264": {"tune": "zerolatency"},
    "libx265": {"tune": "zerolatency"},
    "libvpx": {"lag-in-frames": "0"},
    **{name: {"zerolatency": "1", "delay": "0", "bf": "0"} for name in ("h264_nvenc", "hevc_nvenc", "av1_nvenc")},
}
"""Options by encoder that make a frame leave when it has come."""
USUAL = {
    "hls": {"hls_time": str(KEY_SECONDS), "hls_list_size": "6", "hls_flags": "delete_segments"},
    "mpegts": {"flush_packets": "1"},
    "rtsp": {"rtsp_transport": "tcp"},
}
"""Options by format."""
SECONDS = 10.0
"""For how long a receiver may take nothing. TCP is told so in its address; RTMP, RTSP and HTTP know no such limit."""


class StreamSink(Sink):
    """Encodes the pictures for one receiver. Sound is not sent."""

    def __init__(
        self,
        address: str,
        info: StreamInfo,
        encoding: Encoding,
        warn: Warn,
    ) -> None:
        """Connect, and send the header.

        Args:
            address: A URL, or a playlist `NAME.m3u8`, beside which its segments go.
            info: The source that the pictures come from.
            encoding: How they are encoded, and further options for the format and the encoder.
            warn: Takes a line about what the output cannot hold.

        Raises:
            InputError: The codec or its options cannot be used, or nothing can be sent there.
            OutputError: Nobody answers there.
        """
        self._address, self._name, self._done = address, redacted(address), False
        self._orientation = info.orientation
        kind = sink_format(address)
        asked = {**USUAL.get(kind or "", {}), **encoding.options}
        with self._translated(), signals_quit():  # some protocols wait for ever, and hold Python up
            self._container = av.open(_impatient(address), "w", format=kind, options=asked, timeout=SECONDS)
        try:
            quality = LIVE_QUALITY if encoding.quality is None else encoding.quality
            plan = EncoderPlan.make(self._container, info, replace(encoding, quality=quality))
            for loss in plan.losses(info):
                warn(f"{self._name}: {loss}")
            self._alpha_loss = AlphaLoss(plan.alpha_loss(info), lambda loss: warn(f"{self._name}: {loss}"))
            plan = _live(plan)
            self._encoder = VideoEncoder(self._container, plan)
            unused = UnusedOptions(encoding.options)
            with self._translated(plan.refusal), signals_quit(), unused:
                self._container.start_encoding()
            self._refuse(unused.names)
        except BaseException:
            self.abort()
            raise

    def write(self, sample: Sample, frame: Frame) -> None:
        """Fill the hole in the decoder's frame, encode it and send it."""
        self._alpha_loss.look(sample.native)
        picture = composite_planes(sample.native, frame, self._orientation)
        with self._translated():
            self._container.mux(self._encoder.encode(picture, sample.time))

    def close(self) -> None:
        """Send what the encoder still holds, and say that it is over."""
        if self._done:
            return
        self._done = True
        with self._translated():
            try:
                self._container.mux(self._encoder.flush())
            finally:  # the connection ends also where the receiver has gone
                self._container.close()

    def abort(self, keep_partial: bool = False) -> Path | None:
        """Break off; what was sent was sent."""
        if not self._done:
            self._done = True
            with suppress(av.FFmpegError, ValueError, OSError):
                self._container.close()
        return None

    def _refuse(self, options: Sequence[str]) -> None:
        """Refuse options that nothing took; PyAV opens a connection without any."""
        if options:
            raise InputError(
                f"{self._name}: nothing takes the option {', '.join(options)}; those of the format and of the encoder "
                "are taken, and a protocol's stand in the address, as in udp://HOST:PORT?pkt_size=1316"
            )

    @contextmanager
    def _translated(self, refusal: str | None = None) -> Iterator[None]:
        """Turn FFmpeg's errors into one line about the output, or about the encoder that does not open."""
        try:
            yield
        except av.ProtocolNotFoundError as error:
            raise InputError(
                f"{self._name}: {NO_PROTOCOL}; send by udp:// or rtmp:// and convert it on the way"
            ) from error
        except (av.FFmpegError, OSError) as error:
            if refusal is not None and "avcodec" in str(error):
                raise InputError(refusal) from error
            late = isinstance(error, av.error.ExitError)  # how some releases of PyAV call the time that is over
            reason = "timed out" if late else redacted(error.strerror or str(error))
            raise OutputError(f"{self._name}: cannot be sent to ({reason}); is there a receiver?") from error


def _impatient(address: str) -> str:
    """Return the address with how long to wait for the receiver, which PyAV does not watch over when it writes."""
    if not address.lower().startswith("tcp://") or re.search(r"[?&]timeout=", address):
        return address
    return f"{address}{'&' if '?' in address else '?'}timeout={SECONDS * 1e6:.0f}"


def _live(plan: EncoderPlan) -> EncoderPlan:
    """Return the plan with what lets frames leave at once, and viewers come in at any time."""
    key = {"g": str(max(1, round(KEY_SECONDS * plan.rate)))}
    return replace(plan, options={**plan.options, **key, **AT_ONCE.get(plan.encoder.name, {})})
