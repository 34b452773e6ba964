"""Sound, subtitles, chapters and all else that comes with the pictures, copied as it is where that can be."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av

from ptfan.engine.media.chapters import cut_chapters
from ptfan.engine.media.containers import ROOMIEST, Container, container_named
from ptfan.engine.media.cover import is_cover
from ptfan.engine.media.frame_rate import USUAL_RATE
from ptfan.engine.media.output_time import OutputTime
from ptfan.engine.media.seams import Companion
from ptfan.engine.media.silence import Silence, is_uncompressed
from ptfan.engine.media.stream_copy import StreamCopy, Trial
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.media.stream_name import stream_name
from ptfan.engine.media.stream_trial import Rehearsal, add_copy, first_packets, held_streams, is_attached
from ptfan.engine.media.tags import content_tags, lost_tags
from ptfan.engine.media.text_converter import TextConverter, text_codec
from ptfan.engine.media.time_code import later_code
from ptfan.engine.media.video_file import VideoFile
from ptfan.engine.notices import Warn

__all__ = ["Remuxer"]

_AUDIBLE = Fraction(1, 10)
"""Seconds by which sound may miss its time and nobody be told."""
_END = 1 << 40
"""A time stamp behind all others."""
_TIMECODE = "timecode"
"""The tag that tells the time code of the first picture: MXF has it for the file, MOV and MP4 for a stream."""


class Remuxer:
    """Copies everything but the pictures from a source's file into an output."""

    def __init__(
        self, info: StreamInfo, target: av.container.OutputContainer, video: av.VideoStream, shift: Fraction, warn: Warn
    ) -> None:
        """Add streams, chapters and tags to a container whose header is not yet written.

        Args:
            info: The source, which has a path; what lies outside its span is left out.
            target: The output.
            video: The output's video stream; it takes over the tags and dispositions of the source's.
            shift: Seconds to take off all time stamps.
            warn: Takes a line about each stream that the output cannot hold.
        """
        assert info.path is not None
        self._location, self._target, self._warn, self._seams = info.path, target, warn, info.seams
        self._skipped, self._rate = info.begin - info.opening, info.rate or USUAL_RATE
        end = None if info.span.end is None else info.origin + info.span.end - shift
        self._time = OutputTime(shift, info.span.start is not None, end)
        self._file = VideoFile(info.path)
        self._rehearsals: list[Rehearsal] = []
        self._copies = self._add_all()
        video.metadata.update(self._tags(self._file.stream.metadata))
        video.disposition |= self._file.stream.disposition
        target.metadata.update(self._tags(self._file.container.metadata))
        self._chapters = cut_chapters(self._file.container.chapters(), self._time)
        if self._chapters:
            target.set_chapters(self._chapters)  # type: ignore[arg-type]
        self._packets = self._read()
        self._next = next(self._packets, None)

    def advance(self, until: Fraction | None) -> None:
        """Copy what is due up to a moment of the output, in seconds; everything that is left without one."""
        while self._next is not None:
            time, packet, copy = self._next
            if until is not None and time > until:
                return
            self._mux(packet, copy)
            self._next = next(self._packets, None)

    def fill(self, end: Fraction) -> None:
        """Let sound last up to the end of the pictures, in seconds of the output, where it would cut them off."""
        if container_named(self._target.format.name).paired:
            for copy in self._copies.values():
                self._write(copy.silence.until(end) if copy.silence else (), copy)
                copy.time = max(copy.time, end)

    def close(self) -> None:
        """Close the source's file, and those of the rehearsals."""
        self._packets.close()
        self._file.close()
        for rehearsal in self._rehearsals:
            with suppress(av.FFmpegError):
                rehearsal.close()

    def losses(self, found: av.container.InputContainer) -> list[str]:
        """Name what did not arrive in the finished output, which is open for reading, or not in time."""
        there, name = dict(found.metadata), self._target.format.name
        if any(_TIMECODE in stream.metadata for stream in found.streams):
            there[_TIMECODE] = ""
        lost = lost_tags(self._file.container.metadata, there)
        chapters = len(self._chapters) - len(found.chapters())
        tags = [f"the tags {', '.join(lost)} are dropped: {name} cannot hold them"] if lost else []
        tags += [f"{chapters} chapters are dropped: {name} cannot hold them"] if chapters > 0 else []
        return tags + (self._shifts(found) if container_named(name).counted else [])

    def _shifts(self, found: av.container.InputContainer) -> list[str]:
        """Name the sound that has another time in the finished output."""
        lines, name = [], self._target.format.name
        why = "holds no more sound than pictures" if container_named(name).paired else "keeps no times of sound"
        whole = [copy for copy in self._copies.values() if copy.audible and not copy.refused]
        for copy in whole:
            early = copy.time - _last_time(found, copy.place)
            if abs(early) > _AUDIBLE:
                how = f"{abs(float(early)):.2f} s too {'early' if early > 0 else 'late'}"
                lines.append(f"{copy.name} ends {how}: {name} {why}; .mkv does")
        return lines

    def _tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Return the tags that go along; the time code is that of the first picture that is delivered."""
        kept = content_tags(tags)
        return {
            key: later_code(value, self._skipped, self._rate) if key.lower() == _TIMECODE else value
            for key, value in kept.items()
        }

    def _others(self) -> Iterator[Any]:
        """Yield the source's other streams that are worth copying."""
        for stream in self._file.container.streams:
            if stream.type == "video" and stream is not self._file.stream and not is_cover(stream):
                self._warn(f"{stream_name(stream)} is dropped: only {stream_name(self._file.stream)} is inpainted")
            elif stream is not self._file.stream and not _is_made_anew(stream):
                yield stream

    def _add_all(self) -> dict[int, StreamCopy]:
        """Add a copy of each stream that the output can hold, and say which it cannot."""
        others, name = list(self._others()), self._target.format.name
        if not others:
            return {}
        firsts = self._first_packets(others)
        held = held_streams(others, firsts, name)
        converted = _convertible(others, name) - held
        lost = [stream for stream in others if stream.index not in held | converted]
        elsewhere = held_streams(lost, firsts, ROOMIEST) | _convertible(lost, ROOMIEST) if name != ROOMIEST else set()
        for stream in lost:
            where = "; .mkv can" if stream.index in elsewhere else ""
            self._warn(f"{stream_name(stream)} is dropped: {name} cannot hold it{where}")
        return {
            stream.index: self._add(stream, firsts.get(stream.index), anew=stream.index in converted)
            for stream in others
            if stream not in lost
        }

    def _first_packets(self, streams: Sequence[Any]) -> dict[int, Any]:
        """Return the first packets of streams by their indices."""
        trial = VideoFile(self._location)
        try:
            return first_packets(trial.container, streams)
        finally:
            trial.close()

    def _add(self, stream: Any, first: Any, *, anew: bool) -> StreamCopy:
        """Add a copy of a stream to the output, converted where it must be made anew."""
        name, container = stream_name(stream), self._target.format.name
        if anew:
            converter = TextConverter(self._target, stream)
            copy = converter.stream
            ready: Trial = converter.convert
            self._warn(f"{name} becomes {copy.codec_context.name}, without placement: {container} holds no other text")
        else:
            copy = add_copy(self._target, stream, first)
            ready = self._rehearsed(stream, first)
        copy.metadata.update(self._tags(stream.metadata))
        copy.disposition = stream.disposition
        from_zero = self._time.cut or _pushes_back(stream, container_named(container))
        silence = Silence(stream) if container_named(container).counted and is_uncompressed(stream) else None
        audible = stream.type == "audio"
        return StreamCopy(copy, copy.index, audible, ready, name, from_zero, Companion(self._seams), silence)

    def _rehearsed(self, stream: Any, first: Any) -> Trial:
        """Return what tries packets before they are written; sound that waits for pictures is taken as it is."""
        kind = container_named(self._target.format.name)
        if is_attached(stream, kind):
            return lambda packet: None  # it is in the header
        if kind.paired:
            return lambda packet: packet
        self._rehearsals.append(Rehearsal(stream, first, kind.name))
        return self._rehearsals[-1].mux

    def _read(self) -> Generator[tuple[Fraction, av.Packet[Any], StreamCopy], None, None]:
        """Yield the packets to copy, with the output's time in seconds."""
        streams = [stream for stream in self._file.container.streams if stream.index in self._copies]
        if not streams:
            return
        try:
            for packet in self._file.container.demux(*streams):
                copy = self._copies[packet.stream.index]
                copy.companion.move(packet)
                if packet.size and copy.move(packet, self._time):
                    yield (packet.dts or 0) * packet.time_base, packet, copy
        except av.FFmpegError:
            return  # the file is cut short; the pictures say so

    def _mux(self, packet: av.Packet[Any], copy: StreamCopy) -> None:
        """Write one packet; a stream that the output refuses after all is left out from there on."""
        if copy.refused:
            return
        pts, dts = packet.pts or 0, packet.dts or 0
        if copy.last is not None and dts <= copy.last:
            if self._seams and packet.stream.type == "audio":
                return  # both sides of a seam sound at once
            packet.dts = dts = copy.last + 1
            packet.pts = pts = max(pts, dts)
        copy.last, time = dts, pts * packet.time_base
        self._write(copy.silence.before(packet) if copy.silence else (), copy)
        try:
            made = copy.ready(packet)
        except av.FFmpegError as error:
            copy.refused = True
            self._warn(f"{copy.name} is dropped from here on: {self._target.format.name} refuses it ({error.strerror})")
            return
        copy.time = time
        self._write(() if made is None else (made,), copy)

    def _write(self, packets: Iterable[av.Packet[Any]], copy: StreamCopy) -> None:
        """Write packets as they are."""
        for packet in packets:
            packet.stream = copy.target
            self._target.mux(packet)


def _last_time(container: av.container.InputContainer, index: int) -> Fraction:
    """Return when the last packet of a stream begins, in seconds."""
    stream, time = container.streams[index], Fraction(0)
    with suppress(av.FFmpegError):
        container.seek(_END, stream=stream)
    for packet in container.demux(stream):
        if packet.size and packet.pts is not None:
            time = packet.pts * packet.time_base
    return time


def _convertible(streams: Iterable[Any], container: str) -> set[int]:
    """Return the indices of the streams that can be converted to what a container holds."""
    return {stream.index for stream in streams if text_codec(stream, container)}


def _is_made_anew(stream: Any) -> bool:
    """Tell whether a muxer makes a stream by itself: time code from a tag, and text from the chapters."""
    if stream.type != "data":
        return False
    return _TIMECODE in stream.metadata or bool(stream.container.chapters())


def _pushes_back(stream: Any, target: Container) -> bool:
    """Tell whether sound from before time 0, an encoder's run-up, would delay all streams of an output."""
    if target.run_up != "known":
        return target.run_up == "none"
    # MP4 tells how long the run-up is of Opus alone.
    told = "mp4" not in stream.container.format.name or stream.codec_context.name in ("opus", "libopus")
    return stream.type == "audio" and not told
