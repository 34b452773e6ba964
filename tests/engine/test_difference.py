"""Errors that are added up frame by frame are those of the whole clip."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.difference import Difference, Tally

SHAPE = (4, 5, 3)


def tally_of(reference: Any, result: Any, where: Any = None) -> Difference:
    tally = Tally()
    for t, (expected, got) in enumerate(zip(reference, result, strict=True)):
        tally.add(t, expected, got, None if where is None else where[t])
    return tally.difference


@given(seed=st.integers(0, 2**31), frames=st.integers(1, 4), masked=st.booleans())
def test_the_figures_are_those_of_the_whole_clip(seed: int, frames: int, masked: bool) -> None:
    random = np.random.default_rng(seed)
    reference, result = random.normal(0.5, 0.5, (2, frames, *SHAPE)).astype(np.float32)
    where = random.random((frames, *SHAPE[:2])) < 0.5 if masked else np.ones((frames, *SHAPE[:2]), bool)
    where[0, 0, 0] = True
    found = tally_of(reference, result, where if masked else None)
    error = np.abs(result.astype(np.float64) - reference)
    square = (np.clip(result, 0, 1).astype(np.float64) - np.clip(reference, 0, 1))[where] ** 2
    assert found.worst == error[where].max()
    assert found.mean == pytest.approx(error[where].mean())
    assert found.psnr == pytest.approx(-10 * math.log10(square.mean()))
    assert error[found.pixel].max() == found.worst
    assert where[found.pixel]


def test_a_frame_is_told_its_own_error() -> None:
    reference = np.full(SHAPE, 0.5, np.float32)
    tally = Tally()
    assert tally.add(0, reference, reference + np.float32(0.25)) == pytest.approx(0.0625)
    assert tally.add(1, reference, reference) == 0
    assert tally.difference.pixel[0] == 0


def test_equal_pictures_and_none_at_all() -> None:
    same = np.ones((2, *SHAPE), np.float32)
    nowhere = np.zeros((2, *SHAPE[:2]), bool)
    for found in (tally_of(same, same), tally_of(same, same + 1, nowhere)):
        assert (found.worst, found.mean, found.psnr) == (0, 0, math.inf)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_the_worst_and_stays_it(poison: float) -> None:
    reference = np.zeros((3, *SHAPE), np.float32)
    result = reference.copy()
    result[0, 0, 0, 0], result[1, 2, 3, 1], result[2, 1, 1, 1] = 5, poison, 9
    found = tally_of(reference, result)
    assert math.isnan(found.worst)
    assert math.isnan(found.mean)
    assert found.pixel == (1, 2, 3)
