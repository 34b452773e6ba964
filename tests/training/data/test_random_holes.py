from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.training.data.mask_shapes import Track, pasted
from ptfan.training.data.random_holes import hole_share, random_holes
from ptfan.training.data.sample_config import FVI_AREAS, MASK_KINDS, MaskConfig

SIZES = st.sampled_from([(128, 192), (64, 64), (240, 432), (48, 96), (30, 41)])


def only(kind: str, **values: object) -> MaskConfig:
    return replace(MaskConfig(**{name: float(name == kind) for name in MASK_KINDS}), **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tracks() -> list[Track]:
    """Return two clips' masks: a small square that moves right, and a large one with a second object."""
    first, second = np.zeros((4, 40, 60), np.uint8), np.zeros((9, 60, 80), np.uint8)
    for t in range(4):
        first[t, 10:22, 5 + 3 * t : 17 + 3 * t] = 255
    second[:, 20:50, 30:60] = 1
    second[:, 5:12, 5:12] = 2
    return [first, second]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), SIZES, st.sampled_from([*FVI_AREAS, (0.02, 0.45)]))
def test_holes_have_the_wanted_share(seed: int, frames: int, size: tuple[int, int], area: tuple[float, float]) -> None:
    holes = random_holes(np.random.default_rng(seed), frames, *size, MaskConfig(areas=(area,)))
    assert len(holes) == frames
    assert area[0] - 0.02 <= hole_share(holes) <= area[1] + 0.02  # the last resort, a box, has whole pixels
    for hole in holes:
        assert hole.shape == size
        assert hole.dtype == np.bool_


@pytest.mark.parametrize("kind", MASK_KINDS)
@pytest.mark.parametrize("area", [FVI_AREAS[0], FVI_AREAS[-1]])
def test_every_kind_reaches_every_share(kind: str, area: tuple[float, float], tracks: list[Track]) -> None:
    shares = []
    for seed in range(8):
        holes = random_holes(np.random.default_rng(seed), 4, 64, 96, only(kind, areas=(area,)), tracks=tracks)
        shares.append(hole_share(holes))
    assert area[0] <= min(shares)
    assert max(shares) <= area[1]
    assert len({round(share, 4) for share in shares}) > 4  # and not by the last resort


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_seed_decides(seed: int) -> None:
    config = MaskConfig(areas=FVI_AREAS, absent=0.2)
    first, again = (random_holes(np.random.default_rng(seed), 5, 64, 96, config) for _ in range(2))
    assert np.array_equal(first, again)
    other = random_holes(np.random.default_rng(seed + 1), 5, 64, 96, config)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", ["strokes", "blobs", "boxes"])
def test_some_stand_still_and_some_move(kind: str) -> None:
    for still, least, most in ((0.0, 40, 40), (0.5, 10, 34), (1.0, 0, 0)):
        drawn = [random_holes(np.random.default_rng(seed), 4, 64, 96, only(kind, still=still)) for seed in range(40)]
        moving = sum(not np.array_equal(holes[0], holes[-1]) for holes in drawn)
        assert least <= moving <= most


def test_text_stands_still() -> None:
    holes = random_holes(np.random.default_rng(0), 5, 64, 96, only("text", still=0.0))
    assert all(np.array_equal(holes[0], hole) for hole in holes)


def test_holes_stand_anywhere() -> None:
    seen = np.zeros((64, 96))
    for seed in range(150):
        seen += random_holes(np.random.default_rng(seed), 1, 64, 96)[0]
    assert seen.min() > 0


@pytest.mark.parametrize("absent", [0.0, 0.2, 0.5])
def test_frames_without_a_hole(absent: float) -> None:
    empty = []
    for seed in range(120):
        holes = random_holes(np.random.default_rng(seed), 8, 24, 32, only("boxes", still=1.0, absent=absent))
        without = np.array([not hole.any() for hole in holes])
        empty.append(without.mean())
        assert np.count_nonzero(np.diff(without.astype(int))) <= 2  # one stretch
    assert np.mean(empty) == pytest.approx(absent, abs=0.08)
    assert max(empty) < 1


def test_frames_that_are_shown_keep_a_hole() -> None:
    for seed in range(60):
        config = only("boxes", absent=0.5)
        holes = random_holes(np.random.default_rng(seed), 9, 24, 32, config, shown=range(3, 5))
        assert any(holes[t].any() for t in range(3, 5))


def test_objects_of_other_clips(tracks: list[Track]) -> None:
    config = only("objects", areas=((0.02, 0.2),))
    drawn = [random_holes(np.random.default_rng(seed), 6, 64, 96, config, tracks=tracks[:1]) for seed in range(20)]
    centres = np.array([[np.argwhere(hole).mean(axis=0)[1] for hole in holes] for holes in drawn])
    assert (np.abs(np.diff(centres)).max(axis=1) > 0.5).all()  # the square moves, and turns back at the track's end
    assert len({tuple(row) for row in centres.round(1)}) > 10
    with pytest.raises(InputError, match="no clip has masks"):
        random_holes(np.random.default_rng(0), 3, 64, 96, config)


def test_one_object_or_all_of_them(tracks: list[Track]) -> None:
    pieces = set()
    for seed in range(30):
        canvas = pasted(np.random.default_rng(seed), 1, 200, 300, tracks[1:])(0.5)[0]
        pieces.add(int(np.count_nonzero(np.diff(canvas.max(axis=0).astype(int)) == 1)))
    assert pieces == {1, 2}


def test_draws_that_never_fit_end_in_a_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.training.data.random_holes.TRIES", 0)
    first, second = random_holes(np.random.default_rng(0), 2, 60, 90, MaskConfig(areas=((0.2, 0.3),)))
    assert first[15:45, 22:67].all()
    assert first.sum() == 30 * 45
    assert np.array_equal(first, second)
