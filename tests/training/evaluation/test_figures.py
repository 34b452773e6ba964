from __future__ import annotations

import json
import math

from ptfan.training.evaluation.figures import mean_figure, plain_figures, read_figures


def test_means_leave_out_what_was_not_measured() -> None:
    assert mean_figure([1.0, math.nan, 3.0]) == 2.0
    assert mean_figure([1.0, math.inf]) == math.inf
    assert math.isnan(mean_figure([math.nan]))
    assert math.isnan(mean_figure(()))


def test_figures_go_through_json() -> None:
    figures = {"a": 1.5, "b": math.inf, "c": math.nan}
    plain = json.loads(json.dumps(plain_figures(figures), allow_nan=False))
    assert plain == {"a": 1.5, "b": "inf", "c": None}
    read = read_figures(plain)
    assert (read["a"], read["b"], math.isnan(read["c"])) == (1.5, math.inf, True)
