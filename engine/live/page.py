"""A small web page with the live picture before and after, its figures, and what probes and Prometheus ask for."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

import cv2
import numpy as np

from ptfan.engine.channel import THREAD_PREFIX
from ptfan.engine.errors import InputError, OutputError
from ptfan.engine.live.metrics import metrics
from ptfan.engine.live.monitor import Monitor
from ptfan.engine.pictures.drawing import draw_mask
from ptfan.engine.pictures.picture import Picture, encode_jpeg, to_8_bit

__all__ = ["Page", "parse_place"]

PATIENCE = 10.0
"""Seconds that a browser may be silent, or take nothing."""
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
        answers: dict[str, Callable[[], Answer | None]] = {
            "/": lambda: ("text/html; charset=utf-8", files(__package__).joinpath("page.html").read_bytes()),
            "/picture.jpg": self._picture,
            "/stats.json": lambda: ("application/json", json.dumps(monitor.figures()).encode()),
            "/metrics": lambda: ("text/plain; version=0.0.4; charset=utf-8", metrics(monitor.figures()).encode()),
            "/health": lambda: ("text/plain", b"ok\n") if monitor.healthy else None,
        }
        try:
            self._server = _server(place)(place, _handler(answers))
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
        before, after = draw_mask(to_8_bit(frame.image), frame.hole), to_8_bit(frame.composite())
        return "image/jpeg", encode_jpeg(_scaled(np.hstack((before, after))))


def _server(place: tuple[str, int]) -> type[ThreadingHTTPServer]:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: a browser that goes away amid an answer does no harm."""

    return Server


def _handler(answers: dict[str, Callable[[], Answer | None]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_GET(self) -> None:
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

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: standard error is for what users must know."""

    return Handler


def _scaled(picture: Picture) -> Picture:
    """Return a picture, smaller where it is large."""
    scale = LARGEST / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
