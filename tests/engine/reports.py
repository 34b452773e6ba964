"""A report of each kind, for tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from ptfan.engine.live.report import StreamReport
from ptfan.engine.report import Report

REPORT = Report(
    input="a.mp4",
    output="b.mp4",
    frames=50,
    inpainted=50,
    seconds=2.0,
    fps=25.0,
    stages={"decode": 0.5},
    settings={"size": (432, 240), "mask": Path("m.png"), "start": Fraction(1, 2)},
    model=None,
    backend=None,
    versions={"ptfan": "1"},
    warnings=("careful",),
)
LATENCY = {"p50": 5.0, "p95": 6.0, "p99": 7.0}
STREAMED = StreamReport(
    input="a.mp4",
    output=None,
    figures={"written": 50, "seconds": 2.0, "dropped": 1, "repeated": 2, "reconnects": 0, "latency_ms": LATENCY},
    stages={"decode": 0.5},
    settings={"live": {"page": ("127.0.0.1", 80)}},
    model={"path": "s-live.onnx"},
    backend="onnxruntime",
    versions={"ptfan": "1"},
    gave_up=None,
    broken=None,
)
