from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import islice, pairwise

import av
import numpy as np
import pytest

from ptfan.engine.channel import Channel
from ptfan.engine.live.capture import Captured
from ptfan.engine.live.live_source import LiveSample, LiveSource, WhileLost
from ptfan.engine.media import StreamInfo
from ptfan.engine.media.orientation import UPRIGHT, Orientation

WIDTH, HEIGHT, RATE = 32, 16, 100


class Reader:
    """Stands where the capture is: reads nothing, puts what the test says."""

    gave_up = failure = None

    def __init__(self) -> None:
        self.lost = False
        self.channel: Channel[Captured] = Channel(10)

    def close(self) -> None:
        self.channel.close()

    def put(self, grey: int, *, at: int, connection: int = 0, scale: int = 1) -> None:
        """Put a frame of one grey value, whose time stamp is so many frames."""
        picture = np.full((scale * HEIGHT * 3 // 2, scale * WIDTH), grey, np.uint8)
        picture[scale * HEIGHT :] = 128
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        self.channel.put(Captured(frame, Fraction(at, RATE), time.monotonic(), connection))


@pytest.fixture
def reader() -> Reader:
    return Reader()


Open = Callable[..., LiveSource]


@pytest.fixture
def opened(reader: Reader, told: list[str]) -> Open:
    def open_source(
        while_lost: WhileLost = "last", stop: threading.Event | None = None, turn: Orientation = UPRIGHT
    ) -> LiveSource:
        width, height = turn.size(WIDTH, HEIGHT)
        info = StreamInfo(
            name="x", width=width, height=height, depth=8, pixel_format="yuv420p", rate=Fraction(RATE),
            time_base=Fraction(1, RATE), orientation=turn,
        )  # fmt: skip
        stop = stop or threading.Event()
        return LiveSource(reader, reader.channel, info, while_lost=while_lost, stop=stop, warn=told.append)  # type: ignore[arg-type]

    return open_source


@pytest.fixture
def told() -> list[str]:
    return []


def taken(source: LiveSource, count: int | None = None) -> list[LiveSample]:
    samples = list(islice(source, count))
    assert all(isinstance(sample, LiveSample) for sample in samples)
    return samples  # type: ignore[return-value]


def grey(sample: LiveSample) -> int:
    return int(sample.image[0, 0, 0])


def test_a_new_connection_and_a_new_size_are_scenes_of_their_own(reader: Reader, opened: Open, told: list[str]) -> None:
    for at, connection, scale in ((0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 2), (2, 1, 2)):
        reader.put(100, at=at, connection=connection, scale=scale)
    reader.close()
    samples = taken(opened())
    assert [sample.fresh for sample in samples] == [True, False, True, True, False]
    assert [sample.index for sample in samples] == [0, 1, 2, 3, 4]
    assert all(a.pts < b.pts for a, b in pairwise(samples))
    assert {sample.image.shape for sample in samples} == {(HEIGHT, WIDTH, 3)}
    assert told == ["x: frames are 64x32 now; they are scaled to 32x16, as which the output has begun"]


def test_the_last_frame_stays_while_the_source_is_lost(reader: Reader, opened: Open) -> None:
    reader.put(60, at=0)
    reader.put(200, at=1)
    reader.lost = True
    samples = taken(opened("last"), 4)
    assert [grey(sample) for sample in samples] == [grey(samples[0]), *[grey(samples[1])] * 3]
    assert [sample.arrived is None for sample in samples] == [False, False, True, True]
    assert not any(sample.whole for sample in samples)
    assert all(a.pts < b.pts for a, b in pairwise(samples))


def test_a_slate_is_shown_whole_and_the_picture_comes_back(reader: Reader, opened: Open) -> None:
    reader.put(200, at=0)
    reader.lost = True
    source = iter(opened("slate"))
    assert grey(next(source)) > 150  # type: ignore[arg-type]
    slate = next(source)
    assert slate.whole
    assert slate.fresh
    assert grey(slate) < 60  # type: ignore[arg-type]
    reader.put(200, at=0, connection=1)
    again = next(sample for sample in source if not sample.whole)
    assert again.fresh
    assert again.pts > slate.pts


def test_a_stream_that_is_shown_turned_has_turned_pictures_and_slates(reader: Reader, opened: Open) -> None:
    source = iter(opened("slate", turn=Orientation(transpose=True)))
    reader.put(200, at=0)
    assert next(source).image.shape == (WIDTH, HEIGHT, 3)
    reader.lost = True
    slate = next(source)
    assert slate.image.shape == (WIDTH, HEIGHT, 3)
    assert (slate.native.width, slate.native.height) == (WIDTH, HEIGHT)


def test_with_nothing_there_is_a_gap_as_long_as_the_loss(reader: Reader, opened: Open) -> None:
    reader.put(60, at=0)
    reader.lost = True
    source = iter(opened("nothing"))
    first = next(source)
    threading.Timer(0.3, lambda: reader.put(60, at=0, connection=1)).start()
    second = next(source)
    assert second.index == 1
    assert (second.pts - first.pts) * second.time_base >= Fraction(1, 4)


def test_who_stops_gets_what_has_come(reader: Reader, opened: Open) -> None:
    stop = threading.Event()
    for at in range(3):
        reader.put(100, at=at)
    stop.set()
    assert len(taken(opened(stop=stop))) == 3
