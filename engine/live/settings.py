"""How a live run behaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ptfan.engine.checks import check_choice, check_numbers
from ptfan.engine.errors import InputError
from ptfan.engine.live.feed import FeedOptions
from ptfan.engine.live.live_source import WhileLost

__all__ = ["LiveSettings"]


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """How a live run behaves."""

    realtime: bool | None = None
    """The newest frame wins, and those for which there is no time are dropped; else none is dropped, and the source
    waits, if it can. None takes the first for cameras and networks, the second for files and standard input. A file
    in real time is paced at its own speed."""
    reconnect: float | None = None
    """Seconds for which a source that was lost, or has not come yet, is looked for; None for ever."""
    while_lost: WhileLost = "last"
    """What goes out meanwhile."""
    feed: FeedOptions = field(default_factory=FeedOptions)
    """How the source is opened."""
    page: tuple[str, int] | None = None
    """Host and port to serve a page at; None serves none."""

    def __post_init__(self) -> None:
        check_numbers("", self, "reconnect", unit="seconds")
        check_choice("while lost", self.while_lost, WhileLost)
        if self.page is not None and not _is_place(self.page):
            raise InputError(f"page is {self.page!r}, expected (host, port), for instance ('127.0.0.1', 8080)")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, of FFmpeg's options the names alone: some are secret."""
        return vars(self) | {"feed": vars(self.feed) | {"options": sorted(self.feed.options)}}


def _is_place(page: object) -> bool:
    """Tell whether a value is a host and a port."""
    if not (isinstance(page, tuple) and len(page) == 2):
        return False
    host, port = page
    return isinstance(host, str) and isinstance(port, int) and 0 <= port < 65536
