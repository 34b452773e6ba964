from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from ptfan.training.evaluation.journal import Journal, Score


def score(key: str, **values: float) -> Score:
    return Score(key, "clip", "box", "telea", 5, values)


def test_scores_are_found_again_to_the_last_bit(tmp_path: Path) -> None:
    first = score("a", psnr=math.pi, psnr_hole=math.inf, warp=math.nan)
    Journal(tmp_path).add(first, None)
    Journal(tmp_path).add(score("b", psnr=1.0), None)
    journal = Journal(tmp_path)
    found = journal.get("a", features=False)
    assert found is not None
    assert found.values["psnr"] == math.pi
    assert found.values["psnr_hole"] == math.inf
    assert math.isnan(found.values["warp"])
    assert journal.get("b", features=False) == score("b", psnr=1.0)
    assert journal.get("c", features=False) is None


def test_every_line_is_json_that_others_read(tmp_path: Path) -> None:
    Journal(tmp_path).add(score("a", psnr=math.inf, warp=math.nan), None)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    line = json.loads((tmp_path / "scores.jsonl").read_text(), parse_constant=refuse)
    assert line["values"] == {"psnr": "inf", "warp": None}


def test_a_line_that_was_cut_short_is_computed_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for key in "ab":
        journal.add(score(key, psnr=1.0), None)
    path = tmp_path / "scores.jsonl"
    path.write_text(path.read_text()[:-20])
    journal = Journal(tmp_path)
    assert journal.get("a", features=False) is not None
    assert journal.get("b", features=False) is None
    journal.add(score("c", psnr=2.0), None)
    assert Journal(tmp_path).get("c", features=False) == score("c", psnr=2.0)


def test_a_score_whose_features_are_missing_is_not_complete(tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(size=1024)
    journal = Journal(tmp_path)
    journal.add(score("a", psnr=1.0), None)
    journal.add(score("b", psnr=1.0), features)
    journal.keep("original", features + 1)
    journal = Journal(tmp_path)
    assert journal.get("a", features=True) is None
    assert journal.get("a", features=False) is not None
    assert journal.get("b", features=True) is not None
    np.testing.assert_array_equal(journal.features("b"), features)
    np.testing.assert_array_equal(journal.features("original"), features + 1)
    assert journal.features("a") is None
