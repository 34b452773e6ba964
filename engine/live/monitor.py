"""What a live run is doing: counted by its threads, read by whoever shows it."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

from ptfan.engine.frame import Frame
from ptfan.engine.live.latencies import Latencies

__all__ = ["Monitor"]

RECENT_SECONDS = 5.0
"""The last seconds, over which frames a second are counted."""


class Monitor:
    """Counts, latencies and the latest picture. Every method may be called from any thread; memory does not grow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin = time.monotonic()
        self._counts = dict.fromkeys(("captured", "dropped", "written", "repeated", "damaged", "reconnects"), 0)
        self._latencies = Latencies()
        self._recent: deque[float] = deque()
        self._connected, self._running = False, True
        self._latest: Frame | None = None

    @property
    def latest(self) -> Frame | None:
        """The frame that was written last, with its hole and what fills it."""
        with self._lock:
            return self._latest

    @property
    def healthy(self) -> bool:
        """Whether the run goes on and its source is there."""
        with self._lock:
            return self._running and self._connected

    def opened(self) -> None:
        """Note that the source is there for the first time."""
        with self._lock:
            self._connected = True

    def captured(self, *, dropped: int = 0) -> None:
        """Count a frame that came, and those that were dropped for it."""
        with self._lock:
            self._counts["captured"] += 1
            self._counts["dropped"] += dropped

    def damaged(self, packets: int) -> None:
        """Note how many packets so far could not be decoded."""
        with self._lock:
            self._counts["damaged"] = packets

    def lost(self) -> None:
        """Note that the source is gone."""
        with self._lock:
            self._connected = False

    def found(self, there: bool) -> None:
        """Note that the source is there again, or was given up."""
        with self._lock:
            self._connected = there
            self._counts["reconnects"] += there

    def written(self, frame: Frame, latency: float | None) -> None:
        """Count a frame that has left, and how long after it came; None for one that only fills a gap."""
        now = time.monotonic()
        with self._lock:
            self._latest = frame
            self._recent.append(now)
            self._forget(now)
            self._counts["written"] += 1
            if latency is None:
                self._counts["repeated"] += 1
            else:
                self._latencies.add(latency)

    def finished(self) -> None:
        """Note that the run is over."""
        with self._lock:
            self._running = False

    def figures(self) -> dict[str, Any]:
        """Return everything as plain values: counts, seconds, frames a second, latency in milliseconds."""
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            seconds = now - self._begin
            return {
                **self._counts,
                "seconds": round(seconds, 3),
                "fps": round(len(self._recent) / min(RECENT_SECONDS, max(seconds, 1e-3)), 2),
                "latency_ms": self._latencies.milliseconds(),
                "latency_total_s": round(self._latencies.total, 6),
                "connected": self._connected,
                "running": self._running,
            }

    def _forget(self, now: float) -> None:
        """Drop the moments that are no longer recent."""
        while self._recent and self._recent[0] <= now - RECENT_SECONDS:
            self._recent.popleft()

    def line(self) -> str:
        """Return the same in one line, for people."""
        found = self.figures()
        latency = found["latency_ms"]
        line = f"{found['written']} frames, {found['fps']:.1f} frames/s, latency {latency['p50']:.0f} ms"
        line += f" (p99 {latency['p99']:.0f}), {found['dropped']} dropped"
        return line if found["connected"] else line + ", source lost"
