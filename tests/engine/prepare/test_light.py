"""Changes of light are told from changes of anything else."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.prepare.carrier import known_pixels
from ptfan.engine.prepare.carry_rules import CarryRules
from ptfan.engine.prepare.flow import FlowPair
from ptfan.engine.prepare.light import SAME, Glimpse, Light, light_change
from ptfan.engine.prepare.propagation import propagate

Array = NDArray[np.float32]
HEIGHT, WIDTH = 64, 96


def colours(seed: int = 0, count: int = 200) -> Array:
    return np.random.default_rng(seed).uniform(0.1, 0.9, (count, 3)).astype(np.float32)


@settings(max_examples=50, deadline=None)
@given(
    gain=st.lists(st.floats(0.3, 2), min_size=3, max_size=3),
    offset=st.floats(-0.1, 0.3),
    noise=st.sampled_from([0.0, 0.003, 0.01]),
)
def test_a_change_of_light_is_measured_through_noise(gain: list[float], offset: float, noise: float) -> None:
    then = colours()
    change = Light(np.array(gain, np.float32), np.full(3, offset, np.float32))
    now = then * change.gain + change.offset
    if np.sqrt(np.square(now - then).mean()) < 3 * noise + 0.001:
        return
    rng = np.random.default_rng(1)
    then, now = (part + rng.normal(0, noise, part.shape).astype(np.float32) for part in (then, now))
    found = light_change(then, now)
    np.testing.assert_allclose(found.gain, change.gain, rtol=0.02 + 3 * noise)
    np.testing.assert_allclose(found.offset, change.offset, atol=0.02 + 2 * noise)


def test_noise_and_other_things_are_no_change_of_light() -> None:
    then = colours()
    assert light_change(then, then + np.random.default_rng(1).normal(0, 0.02, then.shape).astype(np.float32)) is SAME
    assert light_change(then, colours(1)) is SAME
    assert light_change(then, np.where(np.arange(len(then))[:, None] < 40, 0.9, then).astype(np.float32)) is SAME
    assert light_change(then[:5], 0.5 * then[:5]) is SAME, "too little is seen"


@pytest.mark.parametrize("cells", [12, 16, 24, 40, 80])
def test_chance_is_hardly_taken_for_light(cells: int) -> None:
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(200):
        then = (rng.uniform(0.2, 0.8, (cells, 1)) + rng.normal(0, 0.05, (cells, 3))).astype(np.float32)
        other = (rng.normal(0, 0.02, (cells, 1)) + rng.normal(0, 0.005, (cells, 3))).astype(np.float32)
        found += light_change(then, then + other) is not SAME
    assert found <= 8


def test_a_slow_fade_is_seen_among_other_changes() -> None:
    rng = np.random.default_rng(1)
    then, now = (share * colours() + rng.normal(0, 0.03, (200, 3)).astype(np.float32) for share in (1.0, 0.95))
    found = light_change(then, now)
    assert found is not SAME
    np.testing.assert_allclose(0.5 * found.gain + found.offset, 0.95 * 0.5, atol=0.01)


def test_there_and_back() -> None:
    light = Light(np.array([0.5, 1.0, 1.5], np.float32), np.array([0.1, 0.0, -0.05], np.float32))
    picture = np.random.default_rng(0).uniform(0.2, 0.6, (5, 7, 3)).astype(np.float32)
    np.testing.assert_allclose(light.inverse.on_picture(light.on_picture(picture)), picture, atol=1e-6)
    assert SAME.inverse is SAME
    assert SAME.on_picture(picture) is picture


def test_a_canvas_takes_the_light_by_its_confidence() -> None:
    light = Light(np.array([0.5, 1.0, 2.0], np.float32), np.array([0.1, -0.2, 0.0], np.float32))
    rng = np.random.default_rng(0)
    picture, confidence = rng.random((4, 6, 3), np.float32), rng.random((4, 6, 1), np.float32)
    lit = light.on(np.concatenate((picture * confidence, confidence), axis=2))
    np.testing.assert_allclose(lit[..., 3:], confidence)
    np.testing.assert_allclose(lit[..., :3], light.on_picture(picture) * confidence, atol=1e-6)


def test_places_are_compared_along_the_flow(pan: Callable[..., list[Array]]) -> None:
    first, second = pan(2, HEIGHT, WIDTH, dx=8, dy=0)
    nothing = np.zeros((HEIGHT, WIDTH), bool)
    before, now = (Glimpse(known_pixels(picture, nothing)) for picture in (first, 0.6 * second))
    back = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    errors = []
    for sign in (1, -1):
        back[..., 0] = 8 * sign
        then, seen = now.since(before, back, ~nothing)
        errors.append(np.abs(0.6 * then - seen).mean())
    assert min(errors) < 0.1 * max(errors)


@pytest.mark.parametrize("way", [(0.0, 0.0), (3.0, 0.0), (4.0, 4.0), (-2.5, 5.5)])
def test_a_fade_is_measured_alike_however_far_places_move(way: tuple[float, float]) -> None:
    """Between cells there is less contrast, which is not the light's doing."""
    large = cv2.GaussianBlur(np.random.default_rng(0).random((280, 360, 3), np.float32), (0, 0), 4)
    first = large[16:256, 16:336]
    matrix = np.array([[1, 0, 16 + way[0]], [0, 1, 16 + way[1]]], np.float32)
    second = cv2.warpAffine(large, matrix, (320, 240), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    nothing = np.zeros((240, 320), bool)
    before, now = (Glimpse(known_pixels(picture, nothing)) for picture in (first, 0.9 * second))
    back = np.broadcast_to(np.array(way, np.float32), (240, 320, 2))
    found = now.light_since(before, back, ~nothing)
    assert found is not None
    np.testing.assert_allclose(found.gain, 0.9, rtol=0.02)


def test_light_is_seen_round_the_hole_of_a_small_crop() -> None:
    large = cv2.GaussianBlur(np.random.default_rng(0).random((67, 83, 3), np.float32), (0, 0), 2)
    hole = np.zeros((64, 80), bool)
    hole[16:48, 18:62] = True
    before, now = (Glimpse(known_pixels(picture, hole)) for picture in (large[:64, :80], 0.9 * large[3:, 3:]))
    found = now.light_since(before, np.full((64, 80, 2), 3, np.float32), ~hole)
    assert found is not None
    np.testing.assert_allclose(found.gain, 0.9, rtol=0.03)


@pytest.mark.parametrize("level", [0.0, 0.4])
def test_nothing_is_carried_through_a_picture_that_shows_nothing(level: float, pan: Callable[..., list[Array]]) -> None:
    hole = np.zeros((HEIGHT, WIDTH), bool)
    textured, plain = pan(1, HEIGHT, WIDTH)[0], np.full((HEIGHT, WIDTH, 3), level, np.float32)
    here, there = (Glimpse(known_pixels(picture, hole)) for picture in (textured, plain))
    still = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    assert there.light_since(here, still, ~hole) is None
    assert here.light_since(there, still, ~hole) is None
    assert here.light_since(here, still, ~hole) is SAME
    hidden = Glimpse(known_pixels(plain, ~hole))
    assert hidden.light_since(here, still, ~hole) is SAME, "what is hidden may show anything"


def test_a_hole_fades_with_its_surroundings(pan: Callable[..., list[Array]]) -> None:
    frames = 12
    fade = np.linspace(1, 0.2, frames, dtype=np.float32)
    images = [picture * share for picture, share in zip(pan(frames, HEIGHT, WIDTH, dx=0, dy=0), fade, strict=True)]
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[24:40, 40:60] = True
    holes = [hole & False, *[hole] * (frames - 1)]
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    still = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flows = [FlowPair(still, still, everywhere, everywhere)] * (frames - 1)
    errors = {}
    for lit in (True, False):
        filled, _ = propagate(images, holes, flows, rules=CarryRules(lit=lit))
        errors[lit] = np.abs(filled[-1] - images[-1])[hole].mean()
    assert errors[False] > 0.2
    assert errors[True] < 0.01
