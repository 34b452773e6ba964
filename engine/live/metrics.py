"""A run's figures in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["metrics"]

METRICS = {
    "captured": ("counter", "frames_captured_total", "Frames that came from the source."),
    "written": ("counter", "frames_written_total", "Frames that have left."),
    "dropped": ("counter", "frames_dropped_total", "Frames that were dropped for newer ones."),
    "repeated": ("counter", "frames_repeated_total", "Frames that only filled a gap."),
    "damaged": ("counter", "packets_damaged_total", "Packets that could not be decoded."),
    "reconnects": ("counter", "reconnects_total", "Times that a lost source was found again."),
    "connected": ("gauge", "source_connected", "1 while the source is there."),
    "fps": ("gauge", "frames_per_second", "Frames a second over the last seconds."),
}
"""By the monitor's name: type, name after `ptfan_`, and meaning."""


def metrics(figures: Mapping[str, Any]) -> str:
    """Return what Prometheus is to see.

    Args:
        figures: What `Monitor.figures` tells.
    """
    lines = []
    for key, (kind, name, meaning) in METRICS.items():
        lines += [*_head(name, kind, meaning), f"ptfan_{name} {float(figures[key])!r}"]
    lines += _head("latency_seconds", "summary", "From capture to sink.")
    latency = figures["latency_ms"]
    for name in ("p50", "p95", "p99"):
        lines.append(f'ptfan_latency_seconds{{quantile="0.{name[1:].rstrip("0")}"}} {latency[name] / 1e3:g}')
    lines.append(f"ptfan_latency_seconds_sum {figures['latency_total_s']!r}")
    lines.append(f"ptfan_latency_seconds_count {figures['written'] - figures['repeated']}")
    return "\n".join(lines) + "\n"


def _head(name: str, kind: str, meaning: str) -> list[str]:
    return [f"# HELP ptfan_{name} {meaning}", f"# TYPE ptfan_{name} {kind}"]
