"""A sink that tells a monitor of what it has written."""

from __future__ import annotations

import time
from pathlib import Path

from ptfan.engine.frame import Frame
from ptfan.engine.live.live_source import LiveSample
from ptfan.engine.live.monitor import Monitor
from ptfan.engine.media import Sample, Sink

__all__ = ["MonitoredSink", "NoSink"]


class NoSink(Sink):
    """Takes pictures and keeps none: for those who only look at the page."""

    def write(self, sample: Sample, frame: Frame) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def abort(self, keep_partial: bool = False) -> Path | None:
        """Do nothing."""
        return None


class MonitoredSink(Sink):
    """Stands before another sink.

    Args:
        sink: Takes the pictures.
        monitor: Is told of each, and how long after it came it has been written.
    """

    def __init__(self, sink: Sink, monitor: Monitor) -> None:
        self._sink, self._monitor = sink, monitor

    def write(self, sample: Sample, frame: Frame) -> None:
        """Write the picture, and tell."""
        self._sink.write(sample, frame)
        arrived = sample.arrived if isinstance(sample, LiveSample) else None
        self._monitor.written(frame, None if arrived is None else time.monotonic() - arrived)

    def close(self) -> None:
        """Close the sink."""
        self._sink.close()

    def abort(self, keep_partial: bool = False) -> Path | None:
        """Abort the sink."""
        return self._sink.abort(keep_partial)
