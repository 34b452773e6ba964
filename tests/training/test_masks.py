from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.training.masks import SHARE, random_holes

SIZES = st.sampled_from([(128, 192), (64, 64), (240, 432), (48, 96), (30, 41)])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), SIZES)
def test_every_frame_has_a_hole_within_the_share(seed: int, frames: int, size: tuple[int, int]) -> None:
    holes = random_holes(np.random.default_rng(seed), frames, *size)
    assert len(holes) == frames
    for hole in holes:
        assert hole.shape == size
        assert hole.dtype == np.bool_
        assert SHARE[0] <= hole.mean() <= SHARE[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_seed_decides(seed: int) -> None:
    first, again = (random_holes(np.random.default_rng(seed), 5, 64, 96) for _ in range(2))
    assert np.array_equal(first, again)
    other = random_holes(np.random.default_rng(seed + 1), 5, 64, 96)
    assert not np.array_equal(first, other)


def test_some_stand_still_and_some_move() -> None:
    drawn = [random_holes(np.random.default_rng(seed), 5, 64, 96) for seed in range(60)]
    moving = sum(not np.array_equal(holes[0], holes[-1]) for holes in drawn)
    assert 15 <= moving <= 50


def test_holes_stand_anywhere() -> None:
    seen = np.zeros((64, 96))
    for seed in range(150):
        seen += random_holes(np.random.default_rng(seed), 1, 64, 96)[0]
    assert seen.min() > 0


def test_draws_that_never_fit_end_in_a_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.training.masks.SHARE", (0.99, 1.0))
    first, second = random_holes(np.random.default_rng(0), 2, 60, 90)
    assert first[20:40, 30:60].all()
    assert first.sum() == 20 * 30
    assert np.array_equal(first, second)
