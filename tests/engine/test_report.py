from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ptfan.engine.report import Report, reports_json

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


def test_one_report_is_an_object_and_several_are_a_list() -> None:
    one = json.loads(reports_json([REPORT], as_list=False))
    assert (one["frames"], one["stages"], one["warnings"]) == (50, {"decode": 0.5}, ["careful"])
    assert one["settings"] == {"size": [432, 240], "mask": "m.png", "start": "1/2"}
    assert json.loads(reports_json([REPORT], as_list=True)) == [one]


def test_numbers_of_numpy_are_numbers_in_json() -> None:
    report = replace(REPORT, settings={"dilate": np.int64(2), "boxes": [{"x": np.int32(1)}]})
    assert report.to_dict()["settings"] == {"dilate": 2, "boxes": [{"x": 1}]}
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()


def test_the_summary_tells_of_frames_without_a_hole() -> None:
    assert REPORT.summary == "b.mp4: 50 frames in 2.0 s (25.0 frames/s)"
    by_gpu = replace(REPORT, backend="onnxruntime-cuda (GPU 0)")
    assert by_gpu.summary == "b.mp4: 50 frames in 2.0 s (25.0 frames/s) by onnxruntime-cuda (GPU 0)"
    assert "50 frames, 20 of them without a hole, in" in replace(REPORT, inpainted=30).summary


def test_no_password_is_recorded() -> None:
    secret = "http://me:hidden@host/a.mp4?token=hidden"
    report = replace(REPORT, input=secret, output=secret)
    assert "hidden" not in repr(report) + json.dumps(report.to_dict(), default=str) + report.summary
