from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.frame import Box
from ptfan.engine.prepare.texture import LEAST, TexturedColours, _nearest, spread, textured

HEIGHT, WIDTH = 60, 80
BOX = Box(24, 18, 32, 24)


def _noise(seed: int = 0) -> np.ndarray:
    """A grey picture with fine noise: (H, W, 3) float32 in [0, 1]."""
    noise = np.random.default_rng(seed).normal(0.5, 0.05, (HEIGHT, WIDTH)).astype(np.float32)
    return np.repeat(noise[..., None], 3, axis=2)


def _guessed(box: Box = BOX) -> np.ndarray:
    guessed = np.zeros((HEIGHT, WIDTH), np.float32)
    guessed[box.slices] = 1
    return guessed


def _softened(picture: np.ndarray) -> np.ndarray:
    """The picture with one colour in the box."""
    soft = picture.copy()
    soft[BOX.slices] = picture.mean()
    return soft


def test_a_soft_hole_gets_the_texture_of_what_surrounds_it() -> None:
    picture = _softened(_noise())
    result = textured(picture, _guessed(), 1.0)
    known = _guessed() == 0
    assert np.array_equal(result[known], picture[known])
    inside = result[BOX.slices]
    assert 0.3 < inside.std() / picture[known].std() < 1.0
    assert abs(float(inside.mean()) - 0.5) < 0.01
    stronger = textured(picture, _guessed(), 2.0)[BOX.slices]
    np.testing.assert_allclose(stronger - picture[BOX.slices], 2 * (inside - picture[BOX.slices]), atol=1e-5)


def test_lines_and_shapes_are_left_out() -> None:
    x = np.arange(WIDTH, dtype=np.float32)
    stripes = np.broadcast_to(0.5 + 0.05 * np.sign(np.sin(x * 1.5))[None, :, None], (HEIGHT, WIDTH, 3)).copy()
    picture = _softened(stripes)
    added = textured(picture, _guessed(), 1.0)[BOX.slices] - picture[BOX.slices]
    noise = _softened(_noise())
    beside = textured(noise, _guessed(), 1.0)[BOX.slices] - noise[BOX.slices]
    assert added.std() < 0.2 * beside.std()
    ramp = np.broadcast_to((x / WIDTH)[None, :, None], (HEIGHT, WIDTH, 3)).copy()
    assert np.abs(textured(ramp, _guessed(), 1.0) - ramp).max() < 0.01


def test_where_something_is_known_texture_fades() -> None:
    picture, guessed = _softened(_noise()), _guessed()
    whole = textured(picture, guessed, 1.0) - picture
    half = textured(picture, guessed * np.float32(0.5), 1.0) - picture
    np.testing.assert_allclose(half[BOX.slices], 0.5 * whole[BOX.slices], atol=1e-6)
    assert textured(picture, guessed * np.float32(LEAST), 1.0) is picture


def test_made_up_colours_get_texture_as_far_as_they_are_made_up() -> None:
    pictures, hole = [_softened(_noise(seed)) for seed in range(3)], _guessed() > 0
    known = [np.where(hole, np.float32(surely), np.float32(1)) for surely in (0.0, 0.3, 1.0)]

    def brighter(pictures: Any, confidences: Any, holes: Any) -> Any:
        return [np.where(hole[..., None], picture + np.float32(0.1), picture) for picture in pictures]

    for colours, shift in ((None, 0.0), (brighter, 0.1)):
        none, some, all_known = TexturedColours(colours)(pictures, known, [hole] * 3)
        assert abs(none[hole].mean() - pictures[0][hole].mean() - shift) < 0.01
        assert none[hole].std() > 1.5 * some[hole].std() > 0
        assert all_known[hole].std() < 1e-5
        assert all(
            np.array_equal(made[~hole], picture[~hole]) for made, picture in zip((none, some), pictures, strict=False)
        )


def test_nothing_is_added_where_there_is_nothing_to_take_or_to_do() -> None:
    picture = _noise()
    assert textured(picture, np.zeros((HEIGHT, WIDTH), np.float32), 1.0) is picture
    assert textured(picture, np.ones((HEIGHT, WIDTH), np.float32), 1.0) is picture
    assert textured(picture, _guessed(), 0.0) is picture


def test_equal_pictures_get_equal_texture() -> None:
    rng = np.random.default_rng(2)
    rooms = [np.empty(int(rng.integers(1, 9000)), np.uint8) for _ in range(40)]  # so that results lie elsewhere
    for turn in range(40):
        height, width = (int(side) for side in rng.integers(30, 60, 2))
        picture = rng.random((height, width, 3), np.float32)
        guessed = np.zeros((height, width), np.float32)
        guessed[8:-8, 8:-8] = 1
        rooms[turn] = np.empty(int(rng.integers(1, 9000)), np.uint8)
        first = textured(picture, guessed)
        rooms[turn] = np.empty(int(rng.integers(1, 9000)), np.uint8)
        assert np.array_equal(textured(picture, guessed), first)


@settings(max_examples=40, deadline=None)
@given(
    corners=st.tuples(*[st.integers(0, HEIGHT - 1)] * 4),
    strength=st.floats(0, 5),
    seed=st.integers(0, 9),
)
def test_the_picture_stays_a_picture(corners: tuple[int, int, int, int], strength: float, seed: int) -> None:
    (left, right), (top, bottom) = sorted(corners[:2]), sorted(corners[2:])
    guessed = _guessed(Box(left, top, right - left + 1, bottom - top + 1))
    guessed *= np.random.default_rng(seed).random(guessed.shape, dtype=np.float32)
    picture = np.clip(_noise(seed) * 4 - 1.5, 0, 1).astype(np.float32)
    kept = picture.copy()
    result = textured(picture, guessed, strength)
    assert np.array_equal(picture, kept)
    assert (result.dtype, result.shape) == (picture.dtype, picture.shape)
    assert result.min() >= 0
    assert result.max() <= 1
    assert np.array_equal(result[guessed <= LEAST], picture[guessed <= LEAST])


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_known_pixel_is_found(seed: int) -> None:
    soft = cv2.GaussianBlur(np.random.default_rng(seed).random((30, 40), dtype=np.float32), (0, 0), 3) > 0.5
    ys, xs = np.nonzero(soft)
    box = Box(int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
    columns, rows, distances = _nearest(soft, box)
    known = np.argwhere(~soft)
    for y, x in zip(ys, xs, strict=True):
        place = y - box.y, x - box.x
        nearest = np.array([rows[place], columns[place]])
        assert (known == nearest).all(axis=1).any()
        far = np.hypot(*(nearest - (y, x)))
        assert far < 1.05 * np.hypot(*(known - (y, x)).T).min() + 0.1  # nearly the nearest
        assert distances[place] == pytest.approx(far, rel=0.05)


def test_texture_is_mirrored_at_the_hole_s_edge() -> None:
    fine = _noise()[..., 0] - np.float32(0.5)
    soft = np.zeros((HEIGHT, WIDTH), bool)
    soft[:, 40:] = True
    fine[soft] = 0.0
    found = spread(soft, lambda near, _: fine[near.slices], 1.0)
    assert found is not None
    box, texture, distance = found
    assert (box, texture.shape) == (Box(40, 0, 40, HEIGHT), (HEIGHT, 40))
    assert np.array_equal(distance[30], np.arange(1, 41))
    mirror = fine[:, 38::-1]
    for x in (0, 10, 30):  # it is weaker, in places that look like lines much so, but the same
        assert np.corrcoef(texture[5:-5, x], mirror[5:-5, x])[0, 1] > 0.8


def test_what_stands_out_farther_away_is_not_embossed() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32) + np.float32(0.1) * (_noise(1) - np.float32(0.5))
    picture[46:] += np.float32(1.5) * (
        _noise(2)[46:] - np.float32(0.5)
    )  # a shore, 16 pixels below the hole, mirrored 16 pixels inside it
    box = Box(2, 0, 76, 30)
    picture[box.slices] = 0.5
    inside = textured(picture, _guessed(box), 1.0)[box.slices][:, 32:44] - 0.5
    faint, shore = inside[16:24].std(), inside[1:12].std()
    assert 0.001 < faint < 0.01
    assert shore < 4 * faint
