"""A small web page with the live picture before and after, its figures, and what probes and Prometheus ask for."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from ipaddress import ip_address
from typing import Any

import cv2
import numpy as np

from ptfan.engine.channel import THREAD_PREFIX
from ptfan.engine.errors import InputError, OutputError
from ptfan.engine.frame import Frame
from ptfan.engine.live.metrics import metrics
from ptfan.engine.live.monitor import Monitor
from ptfan.engine.pictures.drawing import draw_mask
from ptfan.engine.pictures.picture import Picture, encode_jpeg, to_8_bit

__all__ = ["Page", "parse_place"]

PATIENCE = 10.0
"""Seconds that a browser may be silent, or take nothing."""
LONGEST = 30.0
"""Seconds that a connection may last in all: it brings one answer."""
MOST = 32
"""Connections at a time; one more ends the oldest, so that probes get their answers whoever holds on to others."""
LARGEST = 1920
"""The most pixels of the pictures' longer side on the page."""
Answer = tuple[str, bytes]
"""Content type and content."""


def parse_place(text: str) -> tuple[str, int]:
    """Read `[HOST:]PORT`; this machine alone may look without a host.

    Raises:
        InputError: the text is something else.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 <= int(port) < 65536:
        raise InputError(f"page {text!r}: expected PORT or HOST:PORT, for instance 8080")
    return host.strip("[]") or "127.0.0.1", int(port)


class Page:
    """Serves the page from threads of its own; a context manager.

    Args:
        place: Host and port; port 0 takes a free one.
        monitor: What is shown.
    """

    def __init__(self, place: tuple[str, int], monitor: Monitor) -> None:
        self._monitor = monitor
        self._encoding = threading.Lock()
        self._encoded: tuple[Frame | None, bytes] = None, b""
        answers: dict[str, Callable[[], Answer | None]] = {
            "/": lambda: ("text/html; charset=utf-8", files(__package__).joinpath("page.html").read_bytes()),
            "/picture.jpg": self._picture,
            "/stats.json": lambda: ("application/json", json.dumps(monitor.figures()).encode()),
            "/metrics": lambda: ("text/plain; version=0.0.4; charset=utf-8", metrics(monitor.figures()).encode()),
            "/health": lambda: ("text/plain", b"ok\n") if monitor.healthy else None,
        }
        try:
            self._server = _server(place)(place, _handler(answers, private=_is_private(place[0])))
        except OSError as error:
            raise OutputError(f"page {place[0]}:{place[1]}: cannot be served there ({error.strerror})") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name=f"{THREAD_PREFIX}page", daemon=True)

    @property
    def url(self) -> str:
        """Where it can be seen."""
        host, port = self._server.server_address[:2]
        return f"http://[{host!s}]:{port}/" if ":" in str(host) else f"http://{host!s}:{port}/"

    def __enter__(self) -> Page:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # It wakes the server, which else looks every half second whether it is to end.
            self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _picture(self) -> Answer | None:
        """Return the latest frame before and after, beside each other: two pictures would be of two moments."""
        frame = self._monitor.latest
        if frame is None:
            return None
        with self._encoding:  # once for all who look: they must not take the cores from the stream
            if self._encoded[0] is not frame:
                self._encoded = frame, _side_by_side(frame)
            return "image/jpeg", self._encoded[1]


class _Server(ThreadingHTTPServer):
    """Answers a few browsers at a time, each for a short while."""

    request_queue_size = MOST

    def __init__(self, *args: Any) -> None:
        self._open: dict[socket.socket, float] = {}
        self._counting = threading.Lock()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; the oldest connection ends where there are too many."""
        with self._counting:
            while len(self._open) >= MOST:
                self._end(next(iter(self._open)))
            self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """End what lasts too long; this comes twice a second."""
        with self._counting:
            for request in [request for request, begin in self._open.items() if time.monotonic() > begin + LONGEST]:
                self._end(request)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that is over."""
        with self._counting:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a browser that goes away amid an answer does no harm."""

    def _end(self, request: socket.socket) -> None:
        """Let its thread find that nothing more comes, and that nothing is taken."""
        del self._open[request]
        with suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)


def _server(place: tuple[str, int]) -> type[_Server]:
    class Server(_Server):
        address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET

    return Server


def _handler(answers: dict[str, Callable[[], Answer | None]], *, private: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_GET(self) -> None:
            if private and not _is_own_name(self.headers.get("Host", "")):
                self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "this page is for this machine; ask for localhost")
                return
            answer = answers.get(self.path.partition("?")[0])
            if answer is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            found = answer()
            if found is None:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
                return
            kind, content = found
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            """Answer probes that do not ask for the content."""
            self.do_GET()

        def version_string(self) -> str:
            """Return who answers; which Python does is nobody's business."""
            return "ptfan"

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: standard error is for what users must know."""

    return Handler


def _is_private(host: str) -> bool:
    """Tell whether this machine alone may look."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def _is_own_name(host: str) -> bool:
    """Tell whether a browser asks for this machine by a name that no stranger can give it.

    Any site could let its own name lead here, and would read what its visitors' browsers then get from us.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    with suppress(ValueError):
        return bool(ip_address(name.strip("[]")))
    return name in ("", "localhost") or name.endswith(".localhost")


def _side_by_side(frame: Frame) -> bytes:
    before, after = draw_mask(to_8_bit(frame.image), frame.hole), to_8_bit(frame.composite())
    return encode_jpeg(_scaled(np.hstack((before, after))))


def _scaled(picture: Picture) -> Picture:
    """Return a picture, smaller where it is large."""
    scale = LARGEST / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
