"""Opening a video file and decoding its pictures, with errors that say in one line what is wrong."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from typing import Any

import av
from av.codec.context import Flags
from av.video.reformatter import VideoReformatter

from ptfan.engine.errors import InputError, UnreadableError, one_line
from ptfan.engine.media.decoder import Decode, decoder_of
from ptfan.engine.media.film import films_of
from ptfan.engine.media.hardware import HardwareDecoding
from ptfan.engine.media.input_container import LEADS_AWAY, open_container
from ptfan.engine.media.seams import Seam, Splicer
from ptfan.engine.redaction import redacted

__all__ = ["NO_PROTOCOL", "VideoFile"]

NO_PROTOCOL = "this FFmpeg, as PyAV brings it, does not speak this protocol"
"""Said of an address."""
_UNSEARCHABLE = "its index lies at the end, and its server lets nobody search it (no byte ranges); download it first"
_ANIMATED = "is an animated WebP, which FFmpeg does not decode, or is damaged; convert it to PNG images first"
_NOT_VIDEO = {"tty", "srt", "ass", "webvtt", "lrc", "ffmetadata"}
"""What FFmpeg takes text files for."""
_LOW_DELAY = int(Flags.low_delay)
_CLOCKED = 0x0200
"""FFmpeg's AVFMT_TS_DISCONT: time stamps may jump, as broadcasts do."""


class VideoFile:
    """A container opened for reading, and its stream of moving pictures.

    Attributes:
        name: What it is called in errors.
        container: The open container.
        stream: Its film, see `films_of`.
        clocked: Whether time stamps come from a running clock, as in broadcasts.
        damaged: Packets so far that could not be read or decoded.
    """

    def __init__(
        self,
        location: Any,
        *,
        name: str | None = None,
        live: bool = False,
        hardware: HardwareDecoding | None = None,
        seams: Sequence[Seam] = (),
        **how: Any,
    ) -> None:
        """Open a file, or a URL that FFmpeg reads.

        Args:
            location: The file, the URL, or an object to read from.
            name: What to call it in errors; the location itself without it, and without passwords.
            live: Whether a frame is wanted as soon as it has come, rather than as many as possible a second.
            hardware: A device that is to decode it; FFmpeg's own decoders on the CPU without it.
            seams: Where time stamps jump back, so that they can go on there; such a file is read from its beginning.
            how: Further arguments of `av.open`: format, options, timeout.

        Raises:
            InputError: It is not a video, or one without a video stream.
            UnreadableError: It cannot be read here, or not by the device.
        """
        self.name, self._live, self._hardware = name or redacted(str(location)), live, hardware
        self._scaler, self._splicer = VideoReformatter(), Splicer(seams)
        self.damaged = self._read = 0
        self._remote = _is_web_address(location)
        self._unsearchable = False
        if hardware is not None:
            how["hwaccel"] = hardware.open()
        try:
            self.container = open_container(location, live=live, **how)
        except (av.FFmpegError, ValueError) as error:
            raise self._unopened(error) from error
        except RuntimeError as error:  # so PyAV says that the device decodes no stream of it
            raise self._refused() from error
        self.clocked = bool(self.container.format.flags & _CLOCKED)
        try:
            self.stream = self._find_stream()
        except InputError:
            self.container.close()
            raise

    def packets(self) -> Iterator[av.Packet[av.VideoStream]]:
        """Read the packets from here to the end, or to where reading fails; the last one is empty.

        A packet that is cut off is left out. Those of broadcasts are kept: there a flaw spoils a part of the picture.
        """
        try:
            for packet in self.container.demux(self.stream):
                if packet.is_corrupt and not self.clocked:
                    self.damaged += 1
                else:
                    if packet.size:
                        self._splicer.move(packet)
                        self._read += 1
                    yield packet
        except av.FFmpegError as error:
            self.damaged += 1
            self._unsearchable = self._is_out_of_reach(error)

    def frames(self) -> Iterator[av.VideoFrame]:
        """Decode from here to the end; packets that cannot be decoded are passed over and counted in `damaged`."""
        decode = decoder_of(self.stream) if self._hardware is None else av.Packet.decode
        for packet in self.packets():
            yield from self._decode(packet, decode)

    def no_frame(self, usual: str) -> InputError:
        """Return an error that says why not one frame can be decoded.

        Args:
            usual: What is wrong where nothing else is known.
        """
        if self._unsearchable:
            return UnreadableError(f"{self.name}: {_UNSEARCHABLE}")
        if self.container.format.name == "webp_pipe":
            return UnreadableError(f"{self.name}: {_ANIMATED}")
        hardware = self._hardware
        rest = "" if hardware is None else f"; or hwaccel {hardware} cannot decode its kind of pictures"
        return InputError(f"{self.name}: {usual}{rest}")

    def close(self) -> None:
        """Close the container."""
        self.container.close()

    def _unopened(self, error: Exception) -> InputError:
        """Say why it does not open."""
        if isinstance(error, av.ProtocolNotFoundError):
            return UnreadableError(f"{self.name}: {NO_PROTOCOL}; convert it to another one on the way")
        if isinstance(error, av.ArgumentError) and not self._live:
            return UnreadableError(f"{self.name}: is {LEADS_AWAY}, not a video")
        return InputError(f"{self.name}: {_reason(error)}")

    def _is_out_of_reach(self, error: av.FFmpegError) -> bool:
        """Tell whether an error means that a web server gave the index, and not the pictures that lie before it.

        FFmpeg then fails to go back to the first of them. A file that was cut short ends, or is invalid, instead.
        """
        in_order = "mp4" not in self.container.format.name
        return self._remote and not in_order and self._read == 0 and error.errno in (errno.EIO, errno.EPIPE)

    def _decode(self, packet: av.Packet[av.VideoStream], decode: Decode) -> list[av.VideoFrame]:
        """Decode one packet; none of its frames if it is damaged."""
        try:
            return [self._plain(frame) for frame in decode(packet)]
        except (av.InvalidDataError, av.EOFError):
            self.damaged += 1
            return []
        except av.FFmpegError as error:
            if self._hardware is not None:
                raise self._refused(f" ({one_line(error.strerror or error)})") from error
            if error.errno == errno.ENOMEM:
                raise
            self.damaged += 1  # decoders of other libraries call damage by many names
            return []

    def _plain(self, frame: av.VideoFrame) -> av.VideoFrame:
        if self._hardware is None:
            return frame
        return self._hardware.plain(frame, self.stream.codec_context.name, self._scaler)

    def _refused(self, why: str = "") -> UnreadableError:
        return UnreadableError(f"{self.name}: hwaccel {self._hardware} cannot decode it{why}; leave it out")

    def _find_stream(self) -> av.VideoStream:
        """Return the film, set to decode with several threads."""
        if self.container.format.name in _NOT_VIDEO:
            raise UnreadableError(f"{self.name}: is a text file, not a video")
        films = films_of(self.container)
        if films:
            return self._prepare(films[0])
        kinds = ", ".join(sorted({stream.type for stream in self.container.streams})) or "nothing"
        raise InputError(f"{self.name}: has no video stream, only {kinds}")

    def _prepare(self, stream: av.VideoStream) -> av.VideoStream:
        """Let the decoder use several threads; of frames one after the other only where their delay does no harm."""
        if stream.codec_context is None:
            raise UnreadableError(f"{self.name}: its video codec cannot be decoded here; convert the video first")
        if self._hardware is not None and not self._hardware.decodes(stream):
            raise self._refused()
        stream.thread_type = "SLICE" if self._live else "AUTO"
        if self._live and not stream.codec_context.has_b_frames:  # else MPEG-2's frames would come in the coded order
            stream.codec_context.flags |= _LOW_DELAY
        return stream


def _is_web_address(location: Any) -> bool:
    """Tell whether what is opened lies on a web server."""
    return isinstance(location, str) and location.lower().startswith(("http://", "https://"))


def _reason(error: Exception) -> str:
    """Say why a file does not open."""
    if isinstance(error, (av.error.ExitError, av.TimeoutError)):
        return "brings nothing (no answer in time)"
    if isinstance(error, av.PermissionError):
        return "may not be read (permission denied)"
    if isinstance(error, (av.InvalidDataError, av.EOFError)):
        return "is not a video, or is damaged or cut short so that nothing can be read"
    return f"cannot be read as a video ({getattr(error, 'strerror', None) or error})"
