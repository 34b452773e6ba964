"""Decoding on a device: what FFmpeg calls hwaccel."""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.video.reformatter import VideoReformatter

from ptfan.engine.errors import InputError, UnreadableError, one_line
from ptfan.engine.media.colour import FULL

__all__ = ["HardwareDecoding"]

_DECODERS = ("h264", "hevc", "vp9", "av1", "mpeg2video", "mjpeg")
"""Those that are asked which kinds of devices can help them."""
_PLANAR = {
    "nv12": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "p010le": "yuv420p10le",
    "p012le": "yuv420p12le",
    "p016le": "yuv420p12le",  # no decoder for more bits is built in hardware
    "p210le": "yuv422p10le",
}
"""From the formats in which devices hand over pictures to those of FFmpeg's own decoders: the same samples."""
_TELLS_RANGE = ("h264", "hevc", "mjpeg")
"""Decoders of FFmpeg whose format tells the range of 8 bits."""


@dataclass(frozen=True)
class HardwareDecoding:
    """A device that decodes."""

    kind: str
    """FFmpeg's name of the kind of device, `cuda` for instance."""
    device: str | None = None
    """Which of these, by FFmpeg's name: a GPU's number; None for the first."""

    @classmethod
    def parse(cls, text: str | None) -> HardwareDecoding | None:
        """Read `KIND` or `KIND:DEVICE`; None without a text.

        Raises:
            InputError: no decoder of this FFmpeg works by such a device.
        """
        if text is None:
            return None
        kind, _, device = text.partition(":")
        kinds = [name for name in hwdevices_available() if _decoder(name) is not None]
        if kind not in kinds:
            raise InputError(
                f"hwaccel {text!r}: no decoder of this FFmpeg, as PyAV brings it, works by that; expected "
                f"{' or '.join(kinds) or 'none'}"
            )
        return cls(kind, device or None)

    def __str__(self) -> str:
        return self.kind if self.device is None else f"{self.kind}:{self.device}"

    def open(self) -> HWAccel:
        """Return what PyAV decodes by; it does not fall back.

        Raises:
            UnreadableError: there is no such device.
        """
        decoder = _decoder(self.kind)
        assert decoder is not None
        try:
            # PyAV would report what is wrong with the device as if it were wrong with the video.
            HWAccel(self.kind, self.device, allow_software_fallback=False).create(decoder)
        except (av.FFmpegError, ValueError) as error:
            why = one_line(getattr(error, "strerror", None) or error)
            raise UnreadableError(
                f"hwaccel {self}: this machine has no such device, or no driver for it ({why}); leave it out"
            ) from error
        return HWAccel(self.kind, self.device, allow_software_fallback=False)

    def decodes(self, stream: av.VideoStream) -> bool:
        """Tell whether a stream that was opened with it is decoded by it."""
        return stream.codec_context.is_hwaccel

    def plain(self, frame: av.VideoFrame, codec: str, scaler: VideoReformatter) -> av.VideoFrame:
        """Return a frame as FFmpeg's own decoder would have given it.

        Args:
            frame: as it was handed over by the device.
            codec: the decoder's name.
            scaler: converts it.
        """
        planar = _PLANAR.get(frame.format.name, frame.format.name)
        if frame.color_range == FULL and codec in _TELLS_RANGE and planar in ("yuv420p", "yuv422p", "yuv444p"):
            planar = planar.replace("yuv", "yuvj")
        if planar == frame.format.name:
            return frame
        # Of one range on both sides, or else samples would be scaled; the tag stays the frame's.
        plain = scaler.reformat(frame, format=planar, src_color_range=FULL, dst_color_range=FULL)
        plain.color_range = frame.color_range
        return plain


def _decoder(kind: str) -> av.Codec | None:
    """Return a decoder that a kind of device can help."""
    for name in _DECODERS:
        decoder = av.Codec(name, "r")
        for config in decoder.hardware_configs:
            if config.is_supported and config.device_type.name == kind:
                return decoder
    return None
