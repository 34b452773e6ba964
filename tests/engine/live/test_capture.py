"""What a connection holds open or has counted is not forgotten, however it ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import pytest

from ptfan.engine.channel import Channel
from ptfan.engine.errors import InputError, InterruptedRunError
from ptfan.engine.live.capture import Capture, Captured
from ptfan.engine.live.feed import FeedOptions
from ptfan.engine.live.monitor import Monitor
from ptfan.engine.media import StreamInfo

INFO = StreamInfo("x", 32, 16, 8, "yuv420p", Fraction(1, 25), Fraction(25))


class Camera:
    """A feed of one frame, behind which two packets are damaged."""

    info, finite, hasty = INFO, True, False

    def __init__(self) -> None:
        self.damaged, self.closed = 0, False

    def frames(self) -> Iterator[av.VideoFrame]:
        yield av.VideoFrame(32, 16, "yuv420p")
        self.damaged = 2

    def close(self) -> None:
        self.closed = True


Captures = Callable[..., Capture]


@pytest.fixture
def monitor() -> Monitor:
    return Monitor()


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch, monitor: Monitor) -> Captures:
    def make(
        open_feed: Callable[..., Camera],
        stop: threading.Event,
        channel: Channel[Any] | None = None,
        warn: Callable[[str], None] = pytest.fail,
        reconnect: float = 0,
    ) -> Capture:
        monkeypatch.setattr("ptfan.engine.live.capture.open_feed", open_feed)
        return Capture(
            "udp://x", FeedOptions(), channel or Channel(4), monitor, paced=False, reconnect=reconnect, stop=stop,
            warn=warn,
        )  # fmt: skip

    return make


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_packets_damaged_behind_the_last_frame_are_counted(capture: Captures, monitor: Monitor) -> None:
    camera = Camera()
    capture(lambda *_: camera, threading.Event()).open()
    wait_for(lambda: camera.closed)
    assert monitor.figures()["damaged"] == 2


def test_a_source_that_opens_when_the_run_was_stopped_is_closed(capture: Captures) -> None:
    camera, stop, opening = Camera(), threading.Event(), threading.Event()

    def open_feed(*_: object) -> Camera:
        stop.set()
        assert opening.wait(10)
        return camera

    with pytest.raises(InterruptedRunError):
        capture(open_feed, stop).open()
    opening.set()
    wait_for(lambda: camera.closed)


def test_a_source_that_opens_after_control_c_is_not_read(capture: Captures, monitor: Monitor) -> None:
    camera, opening = Camera(), threading.Event()

    def open_feed(*_: object) -> Camera:
        os.kill(os.getpid(), signal.SIGINT)
        assert opening.wait(10)
        return camera

    with pytest.raises(KeyboardInterrupt):
        capture(open_feed, threading.Event()).open()
    opening.set()
    wait_for(lambda: camera.closed)
    assert monitor.figures()["captured"] == 0


def test_the_last_frame_before_a_loss_is_not_pushed_out(capture: Captures, monitor: Monitor) -> None:
    cameras = [Camera()]
    cameras[0].finite = False
    channel: Channel[Any] = Channel(1, newest_wins=True)

    def open_feed(*_: object) -> Camera:
        if not cameras:
            raise InputError("gone")
        return cameras.pop()

    reader = capture(open_feed, threading.Event(), channel, warn=lambda line: None)
    reader.open()
    wait_for(lambda: reader.gave_up is not None)
    assert isinstance(channel.get(10), Captured)
    assert channel.get(10) is None
    assert monitor.figures()["dropped"] == 0


def test_whatever_the_callers_warn_raises_is_handed_on(capture: Captures) -> None:
    def open_feed(*_: object) -> Camera:
        raise InputError("not there")

    def leave(line: str) -> None:
        raise SystemExit(line)

    reader = capture(open_feed, threading.Event(), warn=leave, reconnect=60)
    with pytest.raises(SystemExit, match="not there; trying again"):
        reader.open()
