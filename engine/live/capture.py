"""The thread that reads a live source, paces it, and finds it again when it was lost."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

import av

from ptfan.engine.channel import THREAD_PREFIX, Channel
from ptfan.engine.errors import InputError, InputNotFoundError, InterruptedRunError, UnreadableError
from ptfan.engine.live.address import is_endless
from ptfan.engine.live.feed import Feed, FeedOptions, open_feed
from ptfan.engine.live.monitor import Monitor
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.notices import Warn
from ptfan.engine.redaction import redacted

__all__ = ["Capture", "Captured"]

FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
"""Seconds to wait after the first attempt to connect, and at most after any other; each wait is twice the last."""
POLL_SECONDS = 0.05
"""How often the first connection is asked for."""
LONGEST_PAUSE = 10.0
"""Seconds between two time stamps, from which on they count as a jump of the clock."""


@dataclass(frozen=True, eq=False)
class Captured:
    """A frame as it came."""

    frame: av.VideoFrame
    time: Fraction | None
    """Its time stamp by the source's clock, seconds; None where it has none."""
    arrived: float
    """When, by `time.monotonic`."""
    connection: int
    """Which connection brought it, from 0."""


class Capture:
    """Reads a source in a thread of its own.

    Args:
        address: See `open_feed`.
        options: How it is opened.
        channel: Gets what comes.
        monitor: Is told of everything.
        paced: Let frames come no sooner than their time stamps say, as a camera would, where they could.
        reconnect: Seconds for which a lost source is looked for; None for ever.
        stop: Ends it from outside.
        warn: Takes a line about what happens.
    """

    def __init__(
        self,
        address: str,
        options: FeedOptions,
        channel: Channel[Captured],
        monitor: Monitor,
        *,
        paced: bool,
        reconnect: float | None,
        stop: threading.Event,
        warn: Warn,
    ) -> None:
        self._address, self._options, self._channel, self._monitor = address, options, channel, monitor
        self._paced, self._reconnect, self._warn = paced, reconnect, warn
        self._stop, self._closed = stop, False
        self._feed: Feed | None = None
        self._damaged = 0  # Of the connections that are closed.
        self._info: StreamInfo | None = None
        self._error: InputError | None = None
        self.failure: BaseException | None = None
        """What went wrong in the thread that should not."""
        self.lost = False
        """Whether the source has broken off and is looked for; what waits in the channel came before that."""
        self._thread = threading.Thread(target=self._run, name=f"{THREAD_PREFIX}capture", daemon=True)

    def open(self) -> StreamInfo:
        """Connect for the first time, and begin to read.

        Raises:
            InputError: The source is not there, also not after `reconnect` seconds, or cannot be read.
            InterruptedRunError: The run was stopped meanwhile.
        """
        try:
            self._thread.start()
            while self._info is None and self._thread.is_alive() and not self._over:
                self._thread.join(POLL_SECONDS)  # FFmpeg may wait for long; who stops the run does not wait with it.
        except BaseException:  # Ctrl-C: nobody has the capture yet who would close it.
            self.close()
            raise
        if self._info is not None:
            return self._info
        if self._over:
            raise InterruptedRunError(f"{redacted(self._address)}: stopped before its first frame came")
        raise self.failure or self._error or InputError(f"{redacted(self._address)}: holds no frame")

    @property
    def gave_up(self) -> InputError | None:
        """Why a source that was lost is not looked for any longer; None where it has ended, or was stopped."""
        return None if self._feed is not None or self._stop.is_set() else self._error

    def close(self) -> None:
        """Stop reading, from any thread."""
        self._closed = True
        self._channel.close()

    @property
    def _over(self) -> bool:
        return self._closed or self._stop.is_set()

    def _run(self) -> None:
        try:
            self._feed = self._connect()
            if self._feed is not None:
                self._monitor.opened()
                self._info = self._feed.info
            for connection in count():
                if self._feed is None:
                    return
                self._read(self._feed, connection)  # Also if it is over: this closes what is open.
                if self._over or self._feed is None or self._feed.finite:
                    return
                self.lost = True
                self._monitor.lost()
                self._warn(f"{redacted(self._address)}: lost; looking for it again")
                self._stop.wait(FIRST_WAIT)  # else who hangs up at once would be called without a pause
                self._feed = self._connect()
                self._monitor.found(self._feed is not None)
                self.lost = False
        except BaseException as error:  # of the caller's `warn`, too; raised again where the pictures are taken
            self.failure = error
        finally:
            self._channel.close()

    def _read(self, feed: Feed, connection: int) -> None:
        """Hand on the frames of one connection, and close it."""
        pace = _Pace() if self._paced and feed.hasty else None
        try:
            for frame in feed.frames():
                time_stamp = None if frame.pts is None or not frame.time_base else frame.pts * frame.time_base
                if pace is not None and time_stamp is not None:
                    pace.wait(time_stamp, self._stop)
                if self._over:
                    return
                self._put(Captured(frame, time_stamp, time.monotonic(), connection))
                self._monitor.damaged(self._damaged + feed.damaged)
        except (InputError, av.FFmpegError, OSError) as error:
            self._break_off(error)
        finally:
            self._damaged += feed.damaged
            self._monitor.damaged(self._damaged)
            feed.close()

    def _put(self, item: Captured) -> None:
        dropped = self._channel.put(item)
        if item not in dropped:  # else the channel is closed already
            self._monitor.captured(dropped=len(dropped))

    def _break_off(self, error: Exception) -> None:
        """Take note of an error amid the frames: what has an end is given up, all else is looked for again."""
        if self._feed is not None and not self._feed.finite:
            self._warn(f"{redacted(self._address)}: {redacted(str(error))}")
        else:
            self._feed, self._error = None, InputError(redacted(str(error)))

    def _connect(self) -> Feed | None:
        """Try until the source is there; None when it is time to give up, or to stop."""
        wait, until = FIRST_WAIT, time.monotonic() + (float("inf") if self._reconnect is None else self._reconnect)
        while not self._over:
            try:
                return open_feed(self._address, self._options, self._warn)
            except (InputError, av.FFmpegError, OSError) as error:
                self._error = error if isinstance(error, InputError) else InputError(redacted(str(error)))
            if self._is_final(self._error) or time.monotonic() + wait > until:
                return None
            self._warn(f"{self._error}; trying again in {wait:g} s")
            self._stop.wait(wait)
            wait = min(LONGEST_WAIT, 2 * wait)
        return None

    def _is_final(self, error: InputError) -> bool:
        """Tell whether another try is useless. A camera that was there may be plugged in again."""
        never_there = isinstance(error, InputNotFoundError) and self._info is None
        return never_there or isinstance(error, UnreadableError) or not is_endless(self._address)


class _Pace:
    """Holds frames back until their time has come."""

    def __init__(self) -> None:
        self._begin: tuple[Fraction, float] | None = None
        self._last = Fraction(0)

    def wait(self, time_stamp: Fraction, stop: threading.Event) -> None:
        if self._begin is None or not 0 <= time_stamp - self._last <= LONGEST_PAUSE:
            self._begin = time_stamp, time.monotonic()
        self._last = time_stamp
        first, begun = self._begin
        stop.wait(max(0.0, begun + float(time_stamp - first) - time.monotonic()))
