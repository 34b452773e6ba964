"""A live source as a source of pictures: of one size and kind, in order, with time stamps that increase."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import av
from av.video.reformatter import VideoReformatter

from ptfan.engine.channel import Channel
from ptfan.engine.errors import InputError
from ptfan.engine.live.capture import Capture, Captured
from ptfan.engine.live.retimer import TIME_BASE, Retimer
from ptfan.engine.live.slate import make_slate
from ptfan.engine.media import Sample, Source, StreamInfo
from ptfan.engine.media.frame_rate import USUAL_RATE
from ptfan.engine.media.pixel_layout import plain_format
from ptfan.engine.media.rgb import RgbConverter
from ptfan.engine.notices import Warn

__all__ = ["LiveSample", "LiveSource", "WhileLost"]

WhileLost = Literal["last", "slate", "nothing"]
"""What goes out while the source is lost: its last frame, a slate that says so, or nothing."""
POLL_SECONDS = 0.1
"""How often a source that is silent is asked whether it is to stop."""


@dataclass(frozen=True, eq=False)
class LiveSample(Sample):
    """A picture that came live."""

    arrived: float | None = None
    """When it came, by `time.monotonic`; None for one that only fills a gap."""


class LiveSource(Source):
    """Gives what a capture brings, and what is to be seen while it brings nothing.

    Args:
        capture: Reads the source.
        channel: Where it puts what it reads.
        info: What the first connection told.
        while_lost: What to give while the source is lost.
        stop: Ends it.
        whole: It is a file that is read as fast as can be.
        warn: Takes a line about what was changed.
    """

    def __init__(
        self,
        capture: Capture,
        channel: Channel[Captured],
        info: StreamInfo,
        *,
        while_lost: WhileLost,
        stop: threading.Event,
        warn: Warn,
        whole: bool = False,
    ) -> None:
        self._capture, self._channel, self._stop, self._warn = capture, channel, stop, warn
        rate = info.rate or USUAL_RATE
        self._info = replace(info, rate=rate, time_base=TIME_BASE, frames=None, duration=None)
        self._period = float(1 / rate)
        self._retimer, self._rgb = Retimer(rate, whole=whole), RgbConverter(info.orientation)
        self._scaler = VideoReformatter()
        self._while_lost: WhileLost = while_lost
        self._index = 0
        self._connection = 0
        self._size: tuple[int, int] | None = None
        self._odd: tuple[int, int, str] | None = None

    @property
    def info(self) -> StreamInfo:
        """What the first connection told; all that follows is made to fit."""
        return self._info

    @property
    def gave_up(self) -> InputError | None:
        """Why a source that was lost is not looked for any longer, see `Capture.gave_up`."""
        return self._capture.gave_up

    def close(self) -> None:
        """Stop reading."""
        self._capture.close()

    def __iter__(self) -> Iterator[Sample]:
        """Give pictures until the source has ended, is given up, or is to stop."""
        last: LiveSample | None = None
        filler: LiveSample | None = None
        while not self._channel.ended:
            if self._stop.is_set():
                self._capture.close()  # what waits is still given
            captured = self._channel.get(POLL_SECONDS if filler is None else self._period)
            if captured is not None:
                last, filler = self._sample(captured), None
                yield last
            elif filler is not None:
                filler = self._repeated(filler)
                yield filler
            elif self._capture.lost:
                filler = self._filler(last)
        self._capture.close()
        if self._capture.failure is not None:
            raise self._capture.failure

    def _sample(self, captured: Captured) -> LiveSample:
        frame, size = self._fitted(captured.frame), (captured.frame.width, captured.frame.height)
        another, resized = captured.connection != self._connection, size != self._size
        self._connection, self._size = captured.connection, size
        pts, jumped = self._retimer.stamp(captured.time, captured.arrived, fresh=another)
        fresh = jumped or resized
        sample = LiveSample(
            self._index, self._rgb.convert(frame), pts, TIME_BASE, frame, fresh=fresh, arrived=captured.arrived
        )
        self._index += 1
        return sample

    def _filler(self, last: LiveSample | None) -> LiveSample | None:
        """Return what to show from now on while the source is lost."""
        if self._while_lost == "nothing" or last is None:
            return None
        if self._while_lost == "last":
            return replace(last, fresh=False, arrived=None)
        frame = make_slate(last.native, self._info)
        return replace(last, image=self._rgb.convert(frame), native=frame, fresh=True, whole=True, arrived=None)

    def _repeated(self, filler: LiveSample) -> LiveSample:
        """Return a filler as the next picture; a slate is a scene of its own each time."""
        pts, _ = self._retimer.stamp(None, time.monotonic(), fresh=True)
        index, self._index = self._index, self._index + 1
        return replace(filler, index=index, pts=pts, fresh=filler.whole)

    def _fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a frame in the first one's size and format."""
        info = self._info
        width, height = info.orientation.size(info.width, info.height)
        if (frame.width, frame.height) != (width, height):
            self._tell_size(frame)
        elif frame.format.name == info.pixel_format:
            return frame
        return self._scaler.reformat(frame, width, height, plain_format(info.pixel_format))

    def _tell_size(self, frame: av.VideoFrame) -> None:
        kind = frame.width, frame.height, frame.format.name
        if kind != self._odd:
            self._odd = kind
            self._warn(
                f"{self._info.name}: frames are {frame.width}x{frame.height} now; they are scaled to "
                f"{self._info.width}x{self._info.height}, as which the output has begun"
            )
