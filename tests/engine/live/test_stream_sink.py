"""Receivers that take nothing, and encoders that do not open."""

from __future__ import annotations

import socket
from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, OutputError
from ptfan.engine.frame import Frame
from ptfan.engine.live import stream_sink
from ptfan.engine.live.stream_sink import StreamSink
from ptfan.engine.media import Encoding, Sample, StreamInfo

WIDTH, HEIGHT, RATE = 160, 96, 25
SMALL = 4096
"""Of the sockets' buffers, bytes, so that they are soon full."""
MANY = 2000
"""Frames that no buffer holds."""


def info() -> StreamInfo:
    return StreamInfo(
        name="x", width=WIDTH, height=HEIGHT, depth=8, pixel_format="yuv420p", rate=Fraction(RATE),
        time_base=Fraction(1, RATE),
    )  # fmt: skip


def write_many(sink: StreamSink, picture: NDArray[np.uint8]) -> None:
    native = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    native.time_base = Fraction(1, RATE)
    frame = Frame(picture, np.zeros(picture.shape[:2], bool))
    for number in range(MANY):
        sink.write(Sample(number, picture, number, Fraction(1, RATE), native), frame)


def test_a_receiver_that_takes_nothing_does_not_hold_the_run_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_sink, "SECONDS", 0.5)
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}?send_buffer_size={SMALL}"
        sink = StreamSink(url, info(), Encoding(codec="mpeg2video", quality=1), print)
        with pytest.raises(OutputError, match=r"cannot be sent to \(.*tim.*out\); is there a receiver\?"):
            write_many(sink, noise)
        sink.abort()


def test_a_receiver_that_goes_away_at_the_end_does_not_keep_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        sink = StreamSink(url, info(), Encoding(codec="mpeg2video"), print)
        receiver, _ = server.accept()
        with receiver:
            receiver.settimeout(10)

            def fail() -> None:
                raise BrokenPipeError("gone")

            monkeypatch.setattr(sink._encoder, "flush", fail)
            with pytest.raises(OutputError, match=r"cannot be sent to \(gone\)"):
                sink.close()
            while receiver.recv(1 << 16):  # ends where the connection is closed
                pass


def test_an_encoder_that_does_not_open_is_not_the_receiver_s_fault() -> None:
    with pytest.raises(InputError, match=r"^codec 'h264_nvenc': cannot encode 160x96 yuv420p .* preset warp"):
        StreamSink("udp://127.0.0.1:5999", info(), Encoding(codec="h264_nvenc", preset="warp"), print)


@pytest.mark.parametrize(
    ("options", "unused"),
    [
        ({"pkt_size": "188"}, "pkt_size"),
        ({"nonsense": "hidden", "flush_packets": "0", "other": "1"}, "nonsense, other"),
    ],
)
def test_options_that_nothing_takes_are_refused_and_their_values_stay_hidden(
    options: dict[str, str], unused: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InputError, match=rf"^udp://127\.0\.0\.1:5999: nothing takes the option {unused}; those of"):
        StreamSink("udp://127.0.0.1:5999", info(), Encoding(codec="mpeg2video", options=options), print)
    assert caplog.text == ""


def test_options_of_format_and_encoder_are_taken(caplog: pytest.LogCaptureFixture) -> None:
    options = {"mpegts_flags": "resend_headers", "gop_timecode": "00:00:01:00"}
    StreamSink("udp://127.0.0.1:5999", info(), Encoding(codec="mpeg2video", options=options), print).abort()
    assert caplog.text == ""
