"""A measured network that was never run, for tests of what is made of the figures."""

from __future__ import annotations

from typing import Any

from ptfan.engine.bench.latency import Latency
from ptfan.engine.bench.network import NetworkResult
from ptfan.engine.bench.work import Work

__all__ = ["network_result"]


def network_result(label: str, seconds: tuple[float, ...], **others: Any) -> NetworkResult:
    """Return the result of calls that took so many seconds: steps in fp32 on the CPU, unless told otherwise."""
    usual: dict[str, Any] = {"backend": "onnxruntime (CPU)", "form": "step", "numbers": "fp32", "frames": 1, "kept": 1}
    usual |= {"model": label, "size": (432, 240), "streams": 1}
    return NetworkResult(
        label=label,
        latency=Latency.of(seconds),
        times=tuple(1e3 * value for value in seconds),
        work=Work(flop=1e9, bytes=1e6),
        **{**usual, "ratio": 1.0, **others},
    )
