"""The small parts of a live run."""

from __future__ import annotations

from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Frame
from ptfan.engine.live.address import is_endless, parse_options, sink_format
from ptfan.engine.live.feed import FeedOptions
from ptfan.engine.live.latencies import Latencies
from ptfan.engine.live.monitor import Monitor
from ptfan.engine.live.retimer import TIME_BASE, Retimer
from ptfan.engine.live.settings import LiveSettings
from ptfan.engine.live.stream import stream
from ptfan.engine.media import Encoding


@pytest.mark.parametrize(
    ("address", "kind", "endless"),
    [
        ("udp://127.0.0.1:1", "mpegts", True),
        ("rtmp://server/live/a", "flv", True),
        ("rtsp://server/a", "rtsp", True),
        ("hls/live.m3u8", "hls", False),
        ("out.mkv", None, False),
        ("file:///tmp/a.mp4", None, False),
        ("-", None, False),
    ],
)
def test_what_an_address_means(address: str, kind: str | None, endless: bool) -> None:
    assert sink_format(address) == kind
    assert is_endless(address) == endless


def test_what_cannot_be_sent_or_set_is_named() -> None:
    with pytest.raises(InputError, match=r"gopher://\*\*\*@host/: nothing can be sent by gopher; expected udp://"):
        sink_format("gopher://me:p@host/")
    assert parse_options(["rtsp_transport=udp", "a=b=c"]) == {"rtsp_transport": "udp", "a": "b=c"}
    with pytest.raises(InputError, match="option 'x': expected KEY=VALUE"):
        parse_options(["x"])
    with pytest.raises(InputError, match=r"^patience is 0, expected 0\.1 seconds or more$"):
        FeedOptions(patience=0)
    with pytest.raises(InputError, match="while lost is 'x', expected one of last, slate, nothing"):
        LiveSettings(while_lost="x")  # type: ignore[arg-type]
    for wrong in (-1, "5"):
        with pytest.raises(InputError, match=f"^reconnect is {wrong!r}, expected 0 seconds or more$"):
            LiveSettings(reconnect=wrong)  # type: ignore[arg-type]


def test_a_clock_that_runs_is_followed() -> None:
    retimer = Retimer(Fraction(25))
    stamps = [retimer.stamp(Fraction(100) + Fraction(t, 25), 5.0 + t / 25 + 0.01 * (t % 3)) for t in range(10)]
    assert [pts * TIME_BASE for pts, _ in stamps] == [Fraction(t, 25) for t in range(10)]
    assert [jumped for _, jumped in stamps] == [True] + [False] * 9


@pytest.mark.parametrize("then", [Fraction(0), Fraction(99), Fraction(500)])
def test_after_a_jump_ours_says_how_long_it_was(then: Fraction) -> None:
    retimer = Retimer(Fraction(25))
    retimer.stamp(Fraction(100), 0.0)
    pts, jumped = retimer.stamp(then, 3.0)
    assert jumped
    assert float(pts * TIME_BASE) == pytest.approx(3.0)


def test_a_file_s_pauses_are_its_own_where_it_is_read_as_fast_as_can_be() -> None:
    retimer = Retimer(Fraction(25), whole=True)
    times = [Fraction(0), Fraction(1, 25), Fraction(6), Fraction(601, 100), Fraction(3)]
    stamps = [retimer.stamp(time, 0.01 * t) for t, time in enumerate(times)]
    assert [pts * TIME_BASE for pts, _ in stamps[:4]] == times[:4]
    assert [jumped for _, jumped in stamps] == [True, False, False, False, True]


def test_a_frame_without_a_time_stamp_is_placed_by_our_clock() -> None:
    retimer = Retimer(Fraction(25))
    times = [Fraction(10), Fraction(1004, 100), None, Fraction(1012, 100)]
    stamps = [retimer.stamp(time, 400000 + t / 25) for t, time in enumerate(times)]
    assert [float(pts * TIME_BASE) for pts, _ in stamps] == pytest.approx([t / 25 for t in range(4)], abs=1e-4)
    assert [jumped for _, jumped in stamps] == [True] + [False] * 3


def test_a_source_without_time_stamps_goes_by_our_clock() -> None:
    retimer = Retimer(Fraction(25))
    stamps = [retimer.stamp(None, 400000 + t / 10)[0] for t in range(5)]
    assert [float(pts * TIME_BASE) for pts in stamps] == pytest.approx([t / 10 for t in range(5)], abs=1e-4)


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.fractions(-1000, 1000)), st.floats(0, 10), st.booleans()
        ),
        min_size=2,
        max_size=30,
    )
)  # fmt: skip
def test_time_stamps_increase_whatever_comes(events: list[tuple[Fraction | None, float, bool]]) -> None:
    retimer, now, last = Retimer(Fraction(30)), 0.0, -1
    for time_stamp, passed, fresh in events:
        now += passed
        pts, _ = retimer.stamp(time_stamp, now, fresh=fresh)
        assert pts > last
        last = pts


@given(st.lists(st.floats(1e-3, 100), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_percentiles_are_right_to_a_hundredth(values: list[float], share: float) -> None:
    found = Latencies()
    for value in values:
        found.add(value)
    exact = float(np.quantile(values, share, method="inverted_cdf"))
    assert exact / 1.0101 <= found.percentile(share) <= exact * 1.0101
    assert found.longest == max(values)
    assert found.count == len(values)


def test_nothing_measured_is_zero() -> None:
    assert Latencies().milliseconds() == {"p50": 0.0, "p95": 0.0, "p99": 0.0, "max": 0.0}


def test_a_monitor_tells_what_happened() -> None:
    monitor = Monitor()
    assert not monitor.healthy, "the source has not come yet"
    monitor.opened()
    monitor.captured()
    monitor.captured(dropped=3)
    monitor.damaged(1)
    assert monitor.healthy
    monitor.lost()
    assert not monitor.healthy
    assert monitor.line().endswith(", source lost")
    monitor.found(True)
    found = monitor.figures()
    assert (found["captured"], found["dropped"], found["damaged"], found["reconnects"]) == (2, 3, 1, 1)
    monitor.finished()
    assert not monitor.healthy


def test_frames_a_second_are_those_of_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("ptfan.engine.live.monitor.time.monotonic", lambda: now)
    monitor, frame = Monitor(), Frame(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), bool))
    for number in range(8000):
        now = 1000.0 + number / 400
        monitor.written(frame, 0.01)
    assert monitor.figures()["fps"] == pytest.approx(400, rel=0.01)
    now += 60
    assert monitor.figures()["fps"] == 0


def test_a_report_holds_the_names_of_input_options_alone() -> None:
    live = LiveSettings(feed=FeedOptions(options=MappingProxyType({"cookies": "hidden"}), patience=2), reconnect=3)
    found = live.to_dict()
    assert (found["reconnect"], found["feed"]["patience"], found["feed"]["options"]) == (3, 2, ["cookies"])
    assert live.feed.options == {"cookies": "hidden"}


@pytest.mark.parametrize("page", ["127.0.0.1:8080", 8080, ("127.0.0.1",), ("127.0.0.1", "8080"), ("", 65536)])
def test_a_page_that_is_no_host_and_port_is_refused(page: Any) -> None:
    with pytest.raises(InputError, match=r"^page is .*, expected \(host, port\), for instance"):
        LiveSettings(page=page)


@pytest.mark.parametrize("output", ["out.mp4", "-", "frames/"])
def test_options_that_nothing_would_take_are_refused(output: str) -> None:
    with pytest.raises(InputError, match=f"^{output}: takes no options of FFmpeg's .--output-option., as only"):
        stream("in.mp4", output, encoding=Encoding(options={"movflags": "faststart"}))
