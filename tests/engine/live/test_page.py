from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import cv2
import numpy as np
import pytest

from ptfan.engine.errors import InputError, OutputError
from ptfan.engine.frame import Box, Frame, Patch
from ptfan.engine.live.monitor import Monitor
from ptfan.engine.live.page import MOST, PATIENCE, Page, parse_place


@pytest.fixture
def monitor() -> Monitor:
    monitor = Monitor()
    monitor.opened()
    return monitor


@pytest.fixture
def page(monitor: Monitor) -> Iterator[Page]:
    with Page(("127.0.0.1", 0), monitor) as page:
        yield page


def get(page: Page, name: str = "") -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(page.url + name, timeout=30) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, "", b""


def frame() -> Frame:
    """Return a grey picture with a hole that is filled with white."""
    hole = np.zeros((48, 64), bool)
    hole[8:40, 16:48] = True
    patch = Patch(Box(16, 8, 32, 32), np.ones((32, 32, 3), np.float32))
    return Frame(np.full((48, 64, 3), 90, np.uint8), hole, patches=(patch,))


def test_the_page_shows_the_picture_before_and_after(page: Page, monitor: Monitor) -> None:
    status, kind, content = get(page)
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert b"picture.jpg" in content
    assert b"stats.json" in content
    assert get(page, "picture.jpg")[0] == 503, "there is no picture yet"
    monitor.written(frame(), 0.02)
    status, kind, content = get(page, "picture.jpg?1")
    assert (status, kind) == (200, "image/jpeg")
    picture: Any = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (48, 128, 3)
    before, after = picture[:, :64].astype(float), picture[:, 64:].astype(float)
    assert abs(after[24, 32].mean() - 255) < 6
    assert abs(after[2, 2].mean() - 90) < 6
    assert before[24, 32].mean() < 200


def test_probes_and_prometheus_get_their_answers(page: Page, monitor: Monitor) -> None:
    monitor.captured(dropped=3)
    monitor.written(frame(), 0.05)
    assert get(page, "health") == (200, "text/plain", b"ok\n")
    found = json.loads(get(page, "stats.json")[2])
    assert (found["dropped"], found["written"]) == (3, 1)
    assert found["latency_ms"]["p50"] == pytest.approx(50, rel=0.01)
    lines = get(page, "metrics")[2].decode().splitlines()
    assert "ptfan_frames_dropped_total 3.0" in lines
    assert "# TYPE ptfan_frames_written_total counter" in lines
    assert any(line.startswith('ptfan_latency_seconds{quantile="0.99"} 0.05') for line in lines)
    assert "ptfan_latency_seconds_sum 0.05" in lines
    assert "ptfan_latency_seconds_count 1" in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) == 9
    monitor.lost()
    assert get(page, "health")[0] == 503
    assert "ptfan_source_connected 0.0" in get(page, "metrics")[2].decode().splitlines()


def test_probes_may_ask_for_the_head_alone(page: Page, monitor: Monitor) -> None:
    request = urllib.request.Request(page.url + "health", method="HEAD")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert (answer.status, answer.headers["Content-Length"], answer.read()) == (200, "3", b"")
    monitor.lost()
    with pytest.raises(urllib.error.HTTPError, match="503") as found:
        urllib.request.urlopen(request, timeout=30)
    found.value.close()


def test_there_is_nothing_else(page: Page) -> None:
    assert get(page, "../pyproject.toml")[0] == 404


@pytest.mark.parametrize(
    ("text", "place"),
    [("8080", ("127.0.0.1", 8080)), ("0.0.0.0:80", ("0.0.0.0", 80)), ("[::1]:9000", ("::1", 9000))],
)
def test_a_place_is_this_machine_s_unless_it_says_more(text: str, place: tuple[str, int]) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["", "http", "host:", "1:99999", "-1"])
def test_a_place_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match=r"expected PORT or HOST:PORT"):
        parse_place(text)


def test_the_page_ends_at_once(monitor: Monitor) -> None:
    took = []
    for _ in range(8):
        page = Page(("127.0.0.1", 0), monitor)
        with page:
            assert get(page, "health")[0] == 200
            begin = time.monotonic()
        took.append(time.monotonic() - begin)
    assert sum(took) < 1.0, "it slept for up to half a second each time"


def test_a_port_that_is_taken_is_named(monitor: Monitor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OutputError, match=f"page 127.0.0.1:{port}: cannot be served there"):
            Page(("127.0.0.1", port), monitor)


def asked(page: Page, text: str) -> bytes:
    """Return the first line of the answer to a request."""
    with socket.create_connection(where(page), timeout=30) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode())
        return connection.makefile("rb").readline().strip()


def where(page: Page) -> tuple[str, int]:
    return "127.0.0.1", int(page.url.rstrip("/").rpartition(":")[2])


OWN = ["localhost", "localhost:8080", "a.localhost:1", "127.0.0.1:8080", "192.168.0.7", "[::1]:8080", "[::1]"]


@pytest.mark.parametrize("host", OWN)
def test_who_asks_for_this_machine_is_answered(page: Page, host: str) -> None:
    assert asked(page, f"GET /health HTTP/1.1\nHost: {host}\n\n") == b"HTTP/1.0 200 OK"
    assert asked(page, "GET /health HTTP/1.0\n\n") == b"HTTP/1.0 200 OK"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_no_site_reads_it_by_a_name_that_leads_here(monitor: Monitor, page: Page, host: str) -> None:
    """So a site would see what its visitors' browsers may: the picture of a page that is for this machine alone."""
    request = f"GET /stats.json HTTP/1.1\nHost: {host}\n\n"
    assert asked(page, request).startswith(b"HTTP/1.0 421 ")
    with Page(("0.0.0.0", 0), monitor) as public:
        assert asked(public, request) == b"HTTP/1.0 200 OK"


def test_an_answer_does_not_tell_which_python_gives_it(page: Page) -> None:
    with urllib.request.urlopen(page.url, timeout=30) as answer:
        assert answer.headers["Server"] == "ptfan"


def test_who_holds_on_to_connections_keeps_nobody_else_out(page: Page) -> None:
    with ExitStack() as stack:
        for _ in range(2 * MOST):
            connection = stack.enter_context(socket.create_connection(where(page), timeout=30))
            connection.sendall(b"GET / HT")
        assert get(page, "health")[0] == 200
        serving = [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]
        assert len(serving) <= MOST + 1


def test_a_request_that_never_ends_is_ended(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.engine.live.page.LONGEST", 0.5)
    begin = time.monotonic()
    with socket.create_connection(where(page), timeout=30) as connection:
        connection.sendall(b"GET / HT")
        assert connection.recv(1) == b""
    assert time.monotonic() - begin < PATIENCE / 2


def test_a_picture_is_made_once_for_all_who_look(page: Page, monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def encode(picture: object) -> bytes:
        made.append(picture)
        return b"picture"

    monkeypatch.setattr("ptfan.engine.live.page.encode_jpeg", encode)
    for count in (1, 2):
        monitor.written(frame(), 0.02)
        assert get(page, "picture.jpg") == get(page, "picture.jpg") == (200, "image/jpeg", b"picture")
        assert len(made) == count
