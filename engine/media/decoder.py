"""Which decoder is used: FFmpeg's own, but for what these leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import av

__all__ = ["Decode", "decoder_of", "tells_alpha"]

Decode: TypeAlias = "Callable[[av.Packet[av.VideoStream]], list[av.VideoFrame]]"
"""Takes the packets of a stream in order, the last one empty, and returns the frames that are ready."""
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that read the alpha channel, which WebM keeps beside the coded pictures; FFmpeg's own do not."""


def decoder_of(stream: av.VideoStream) -> Decode:
    """Return what decodes a stream's packets from the place on that the container is read from next."""
    name = _WITH_ALPHA.get(stream.codec_context.name) if tells_alpha(stream) else None
    if name is None or name not in av.codecs_available:
        return lambda packet: packet.decode()
    context = av.VideoCodecContext.create(name, "r")
    assert isinstance(context, av.VideoCodecContext)
    context.extradata, context.thread_type = stream.codec_context.extradata, stream.thread_type
    return lambda packet: context.decode(packet if packet.size else None)


def tells_alpha(stream: av.VideoStream) -> bool:
    """Tell whether a container speaks of an alpha channel beside the coded pictures."""
    return any(key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items())
