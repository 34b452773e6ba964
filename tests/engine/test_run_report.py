from __future__ import annotations

import copy
import json
import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from ptfan.engine.run_report import RunReport, reports_json
from tests.engine.reports import REPORT, STREAMED


def test_one_report_is_an_object_and_several_are_a_list() -> None:
    one = json.loads(reports_json([REPORT], as_list=False))
    assert (one["frames"], one["stages"], one["warnings"]) == (50, {"decode": 0.5}, ["careful"])
    assert one["settings"] == {"size": [432, 240], "mask": "m.png", "start": "1/2"}
    assert json.loads(reports_json([REPORT], as_list=True)) == [one]


def test_numbers_of_numpy_are_numbers_in_json() -> None:
    report = replace(REPORT, settings={"dilate": np.int64(2), "boxes": [{"x": np.int32(1)}]})
    assert report.to_dict()["settings"] == {"dilate": 2, "boxes": [{"x": 1}]}


@pytest.mark.parametrize("report", [REPORT, STREAMED], ids=["video", "stream"])
def test_every_report_tells_the_same_way(report: RunReport) -> None:
    assert str(report) == report.summary
    assert "\n" not in report.summary
    told = report.to_dict()
    assert set(told) == {field.name for field in fields(report)}
    assert json.loads(json.dumps(told)) == told
    assert pickle.loads(pickle.dumps(report)) == copy.deepcopy(report) == report


def test_what_fills_pages_is_not_in_the_repr() -> None:
    assert repr(REPORT) == (
        "Report(input='a.mp4', output='b.mp4', backend=None, warnings=('careful',), frames=50, inpainted=50, "
        "seconds=2.0, fps=25.0)"
    )


@pytest.mark.parametrize("report", [REPORT, STREAMED], ids=["video", "stream"])
def test_no_password_is_recorded(report: RunReport) -> None:
    secret = "http://me:hidden@host/a.mp4?token=hidden"
    report = replace(report, input=secret, output=secret)
    assert "hidden" not in repr(report) + json.dumps(report.to_dict()) + report.summary
