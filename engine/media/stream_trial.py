"""Finding out which streams a container can hold, before work starts, and which of their packets, as they come."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import av

from ptfan.engine.media.containers import Container, container_named
from ptfan.engine.media.cover import cover_file, is_cover
from ptfan.engine.media.frame_rate import USUAL_RATE

__all__ = ["Rehearsal", "add_copy", "first_packets", "held_streams", "is_attached"]

_ENOUGH = 5000
"""Packets to read, at most, in search of the first ones of all streams."""
_TINY = 16
"""Width and height, in pixels, of pictures that are there so that sound can be."""
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_CALLED = {"mp1": "mp3", "mp2": "mp3", "eac3": "ac3"}
"""Codecs that MPEG-TS, MP4 or AVI do not tell from others, by whose names they are read back; decoders tell them."""
_FRAMED = {("audio", name) for name in ("mp3", "ac3", "aac", "dts", "flac")}
"""Sound whose packets are of any size, and each of which lasts as long as the others."""


class Rehearsal:
    """A file with a copy of one stream alone, which tells at once what a container refuses.

    With several streams a packet waits for those of the others, and its refusal would come with one of theirs.
    """

    def __init__(self, stream: Any, first: Any, target: str, file: Any = os.devnull) -> None:
        """Write the header.

        Args:
            stream: The stream that is copied.
            first: Its first packet, see `first_packets`.
            target: FFmpeg's name of the container.
            file: A path, or an object to write to; without it what is written goes nowhere.

        Raises:
            av.FFmpegError, ValueError: The container does not hold such a stream.
        """
        self._container = av.open(file, "w", format=target)
        pictures = _add_pictures(self._container) if container_named(target).paired else None
        self._copy = add_copy(self._container, stream, first)
        self._copy.disposition = stream.disposition
        self._container.start_encoding()
        if pictures is not None:
            self._container.mux([*pictures.encode(av.VideoFrame(_TINY, _TINY)), *pictures.encode(None)])

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


def first_packets(container: av.container.InputContainer, streams: Iterable[Any]) -> dict[int, Any]:
    """Return the first packet of each stream that has one near the beginning, at time 0.

    Args:
        container: The open file that the streams belong to; it is read from the beginning, so open it for this alone.
        streams: Streams of that file, however often it was opened: their indices count.

    Returns:
        The packets by their streams' indices.
    """
    moving = {stream.index for stream in streams if stream.type != "attachment"}
    found: dict[int, Any] = {}
    if not moving:
        return found
    with suppress(av.FFmpegError):
        for number, packet in enumerate(container.demux(*(container.streams[index] for index in moving))):
            if packet.size and packet.stream_index not in found:
                packet.pts = packet.dts = 0
                found[packet.stream_index] = packet
            if moving <= found.keys() or number > _ENOUGH:
                break
    return found


def held_streams(streams: Iterable[Any], firsts: Mapping[int, Any], target: str) -> set[int]:
    """Try each stream on a file in memory: write its first packet, and see whether the same kind is read back.

    Args:
        streams: The streams.
        firsts: Their first packets, see `first_packets`.
        target: FFmpeg's name of the container that is to hold them.

    Returns:
        The indices of those that it can hold.
    """
    return {stream.index for stream in streams if _is_held(stream, firsts.get(stream.index), target)}


def add_copy(container: av.container.OutputContainer, stream: Any, first: Any) -> Any:
    """Add a stream like another one to an output; sound of unknown channels gets the usual ones for their number.

    Args:
        container: The output, whose header is not yet written.
        stream: The other stream.
        first: Its first packet, see `first_packets`; None where it has none.
    """
    kind = container_named(container.format.name)
    if first is not None and is_attached(stream, kind):
        return container.add_attachment(*(cover_file(stream) or ("", "")), bytes(first))
    counted = kind.counted and first is not None
    template = _unblocked(stream, first) if counted and _kind(stream) in _FRAMED else stream
    copy = container.add_stream_from_template(template)
    layout = template.codec_context.layout.name if stream.type == "audio" else ""
    if layout.endswith("channels"):
        with suppress(ValueError, RuntimeError, TypeError):
            copy.codec_context.layout = _LAYOUTS.get(template.codec_context.channels, "stereo")
    return copy


def is_attached(stream: Any, target: Container) -> bool:
    """Tell whether a container holds a stream of pictures as an attached file, whose content is in the header."""
    return target.attachments and cover_file(stream) is not None


def _add_pictures(container: av.container.OutputContainer) -> av.VideoStream:
    """Add a stream of pictures, as small as can be."""
    stream = container.add_stream("mpeg2video", rate=USUAL_RATE)
    assert isinstance(stream, av.VideoStream)
    stream.width = stream.height = _TINY
    stream.pix_fmt = "yuv420p"
    return stream


def _unblocked(stream: Any, first: Any) -> Any:
    """Return a stream of sound without the size of its blocks, which AVI would count it by, as NUT does not keep it."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="nut") as scratch:
        first.stream = scratch.add_stream_from_template(stream)
        scratch.mux(first)
    return av.open(io.BytesIO(memory.getvalue())).streams[0]


def _is_held(stream: Any, first: Any, target: str) -> bool:
    """Tell whether a container takes a stream, and gives it back as what it was."""
    if stream.type == "attachment":
        return container_named(target).attachments
    if first is not None and is_attached(stream, container_named(target)):
        return True
    memory = io.BytesIO()
    try:
        rehearsal = Rehearsal(stream, first, target, memory)
        if first is not None:
            rehearsal.mux(first)
        rehearsal.close()
        return first is None or _kind(stream) in _kinds(memory.getvalue())
    except (av.FFmpegError, ValueError):
        return False


def _kinds(content: bytes) -> set[tuple[str, str]]:
    """Return the kinds of streams in a file's content."""
    with av.open(io.BytesIO(content)) as container:
        return {_kind(stream) for stream in container.streams}


def _kind(stream: Any) -> tuple[str, str]:
    """Return a stream's type and codec, by the name that any container calls it by."""
    context = stream.codec_context
    codec = context.codec.canonical_name if context else ""
    return "cover" if is_cover(stream) else stream.type, _CALLED.get(codec, codec)
