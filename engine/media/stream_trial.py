"""Finding out which streams a container can hold, before work starts, and which of their packets, as they come."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import av

from ptfan.engine.media.containers import container_named

__all__ = ["Rehearsal", "add_copy", "held_streams"]

_ENOUGH = 5000
"""Packets to read, at most, in search of the first ones of all streams."""
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_MPEG_AUDIO = ("mp1", "mp2", "mp3")
"""Layers of one codec, which MPEG-TS and MP4 do not tell apart; decoders do, by the packets."""


class Rehearsal:
    """A file with a copy of one stream alone, which tells at once what a container refuses.

    With several streams a packet waits for those of the others, and its refusal would come with one of theirs.
    """

    def __init__(self, stream: Any, target: str, file: Any = os.devnull) -> None:
        """Write the header.

        Args:
            stream: The stream that is copied.
            target: FFmpeg's name of the container.
            file: A path, or an object to write to; without it what is written goes nowhere.

        Raises:
            av.FFmpegError, ValueError: The container does not hold such a stream.
        """
        self._container = av.open(file, "w", format=target)
        self._copy = add_copy(self._container, stream)
        self._copy.disposition = stream.disposition
        self._container.start_encoding()

    def mux(self, packet: av.Packet[Any]) -> av.Packet[Any]:
        """Write a packet, and return it.

        Raises:
            av.FFmpegError: The container refuses it.
        """
        packet.stream = self._copy
        self._container.mux(packet)
        return packet

    def close(self) -> None:
        """Finish the file.

        Raises:
            av.FFmpegError: The container refuses what it has got.
        """
        self._container.close()


def held_streams(container: av.container.InputContainer, streams: Iterable[Any], target: str) -> set[int]:
    """Try each stream on a file in memory: write its first packet, and see whether the same kind is read back.

    Args:
        container: The open file that the streams belong to; it is read from the beginning, so open it for this alone.
        streams: Streams of that file.
        target: FFmpeg's name of the container that is to hold them.

    Returns:
        The indices of those that it can hold.
    """
    wanted = {stream.index: stream for stream in streams}
    packets = _first_packets(container, wanted)
    return {index for index, stream in wanted.items() if _is_held(stream, packets.get(index), target)}


def add_copy(container: av.container.OutputContainer, stream: Any) -> Any:
    """Add a stream like another one to an output; sound of unknown channels gets the usual ones for their number."""
    copy = container.add_stream_from_template(stream)
    if stream.type == "audio" and stream.codec_context.layout.name not in ("mono", "stereo"):
        with suppress(ValueError, RuntimeError, TypeError):
            if stream.codec_context.layout.name.endswith("channels"):
                copy.codec_context.layout = _LAYOUTS.get(stream.codec_context.channels, "stereo")
    return copy


def _first_packets(container: av.container.InputContainer, wanted: dict[int, Any]) -> dict[int, Any]:
    """Return the first packet of each stream that has one near the beginning."""
    found: dict[int, Any] = {}
    moving = {index for index, stream in wanted.items() if stream.type != "attachment"}
    if not moving:
        return found
    with suppress(av.FFmpegError):
        for number, packet in enumerate(container.demux(*(wanted[index] for index in moving))):
            if packet.size and packet.stream_index not in found:
                found[packet.stream_index] = packet
            if moving <= found.keys() or number > _ENOUGH:
                break
    return found


def _is_held(stream: Any, packet: Any, target: str) -> bool:
    """Tell whether a container takes a stream, and gives it back as what it was."""
    if stream.type == "attachment":
        return container_named(target).attachments
    memory = io.BytesIO()
    try:
        rehearsal = Rehearsal(stream, target, memory)
        if packet is not None:
            packet.pts = packet.dts = 0
            rehearsal.mux(packet)
        rehearsal.close()
        return packet is None or _kind(stream) in _kinds(memory.getvalue())
    except (av.FFmpegError, ValueError):
        return False


def _kinds(content: bytes) -> set[tuple[str, str]]:
    """Return the kinds of streams in a file's content."""
    with av.open(io.BytesIO(content)) as container:
        return {_kind(stream) for stream in container.streams}


def _kind(stream: Any) -> tuple[str, str]:
    """Return a stream's type and codec."""
    context = stream.codec_context
    codec = context.codec.canonical_name if context else ""
    return stream.type, _MPEG_AUDIO[-1] if codec in _MPEG_AUDIO else codec
