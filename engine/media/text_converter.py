"""Text subtitles of one kind into those that another container holds."""

from __future__ import annotations

from typing import Any, cast

import av

from ptfan.engine.media.containers import container_named

__all__ = ["TextConverter", "text_codec"]

_TEXT = 1 << 17
"""FFmpeg's AV_CODEC_PROP_TEXT_SUB: subtitles are text, not pictures."""


class TextConverter:
    """Converts the packets of one stream. Italics and the like stay where both kinds know them; places do not.

    Attributes:
        stream: The new stream in the output.
    """

    def __init__(self, target: av.container.OutputContainer, source: Any) -> None:
        """Add a stream to an output whose header is not yet written.

        Args:
            target: The output; `text_codec` has found a codec for it.
            source: The stream that the packets come from.
        """
        self._decoder = source.codec_context
        self._decoder.open(strict=False)
        self.stream = cast("Any", target.add_stream(text_codec(source, target.format.name) or ""))
        self._encoder = self.stream.codec_context
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._encoder.time_base = self.stream.time_base = source.time_base

    def convert(self, packet: av.Packet[Any]) -> av.Packet[Any] | None:
        """Return a packet's text in the new kind, at the same time; None where it says nothing.

        Raises:
            av.FFmpegError: It cannot be decoded, or encoded.
        """
        said = self._decoder.decode2(packet)
        if not said:
            return None
        made: av.Packet[Any] = self._encoder.encode_subtitle(said)
        made.pts, made.dts, made.duration = packet.pts, packet.dts, packet.duration
        made.time_base = packet.time_base
        return made


def text_codec(stream: Any, container: str) -> str | None:
    """Return what a stream can be converted to for a container; None where it is no text, or no kind is known."""
    context = stream.codec_context
    if stream.type != "subtitle" or context is None or not int(context.codec.properties) & _TEXT:
        return None
    return container_named(container).text
