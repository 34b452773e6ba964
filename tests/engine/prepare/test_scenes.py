from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.prepare.scenes import CutDetector

Pictures = list[NDArray[np.float32]]
HEIGHT, WIDTH = 90, 160


def as_bytes(clip: Sequence[NDArray[np.float32]], dtype: Any = np.uint8) -> list[NDArray[Any]]:
    return [np.rint(np.clip(image, 0, 1) * np.iinfo(dtype).max).astype(dtype) for image in clip]


def no_hole(image: NDArray[Any]) -> NDArray[np.bool_]:
    return np.zeros(image.shape[:2], bool)


def cuts(clip: Sequence[NDArray[Any]], holes: Sequence[NDArray[np.bool_]] | None = None) -> list[int]:
    detector = CutDetector()
    pairs = zip(clip, holes or [no_hole(image) for image in clip], strict=True)
    return [t for t, (image, hole) in enumerate(pairs) if detector.push(image, hole)]


def three_scenes(pan: Callable[..., Pictures]) -> Pictures:
    first, third = pan(12, HEIGHT, WIDTH, seed=1), pan(14, HEIGHT, WIDTH, seed=3)
    return first + [image * 0.4 for image in pan(10, HEIGHT, WIDTH, dx=-2, seed=2)] + third


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_two_cuts_are_found_and_no_more(pan: Callable[..., Pictures], dtype: Any) -> None:
    assert cuts(as_bytes(three_scenes(pan), dtype)) == [12, 22]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_what_stands_in_the_hole_has_no_influence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clip = [rng.integers(0, 255, (27, 48, 3)).astype(np.uint8) for _ in range(4)]
    holes = [rng.random((27, 48)) < rng.uniform(0, 1) for _ in clip]
    other = [image.copy() for image in clip]
    for image, hole in zip(other, holes, strict=True):
        image[hole] = rng.integers(0, 255, 3)
    a, b = CutDetector(), CutDetector()
    for image, changed, hole in zip(clip, other, holes, strict=True):
        assert a.push(image, hole) == b.push(changed, hole)
        assert a._blocks is not None
        assert b._blocks is not None
        assert np.array_equal(a._blocks, b._blocks)


def test_cuts_are_found_beside_a_large_hole_and_not_in_it(pan: Callable[..., Pictures]) -> None:
    clip = as_bytes(three_scenes(pan))
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[:60, 20:] = True
    rng = np.random.default_rng(0)
    for image in clip:
        image[hole] = rng.integers(0, 255, 3)
    assert cuts(clip, [hole] * len(clip)) == [12, 22]


def test_a_hole_that_moves_is_no_cut(texture: Callable[..., NDArray[np.float32]]) -> None:
    clip = as_bytes([texture(HEIGHT, WIDTH)] * 12)
    holes = []
    for t, image in enumerate(clip):
        hole = np.zeros((HEIGHT, WIDTH), bool)
        hole[10:70, 10 * t : 10 * t + 60] = True
        image[hole] = (255, 0, 255)
        holes.append(hole)
    assert cuts(clip, holes) == []


def test_a_hole_that_appears_is_no_cut(texture: Callable[..., NDArray[np.float32]]) -> None:
    clip = as_bytes([texture(HEIGHT, WIDTH)] * 8)
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[:, 30:] = True
    assert cuts(clip, [no_hole(clip[0])] * 4 + [hole] * 4) == []


def test_nothing_known_is_no_cut(pan: Callable[..., Pictures]) -> None:
    clip = as_bytes(three_scenes(pan))
    assert cuts(clip, [np.ones((HEIGHT, WIDTH), bool)] * len(clip)) == []


@pytest.mark.parametrize("speed", [1, 4, 12])
def test_a_pan_is_no_cut(pan: Callable[..., Pictures], speed: int) -> None:
    assert cuts(as_bytes(pan(25, HEIGHT, WIDTH, dx=speed, dy=0))) == []


def test_fades_are_no_cuts(texture: Callable[..., NDArray[np.float32]]) -> None:
    image, other = texture(HEIGHT, WIDTH, 1), texture(HEIGHT, WIDTH, 2)
    to_black = [image * np.float32(1 - t / 15) for t in range(16)]
    dissolve = [image * np.float32(1 - t / 10) + other * np.float32(t / 10) for t in range(11)]
    assert cuts(as_bytes(to_black + to_black[::-1] + dissolve)) == []


def test_flicker_is_no_cut(pan: Callable[..., Pictures]) -> None:
    clip = [image * (0.85 if t % 2 else 1.0) for t, image in enumerate(pan(20, HEIGHT, WIDTH, dx=1))]
    assert cuts(as_bytes(clip)) == []


def test_a_strobe_does_not_make_a_scene_of_every_frame(texture: Callable[..., NDArray[np.float32]]) -> None:
    image = texture(HEIGHT, WIDTH)
    assert len(cuts(as_bytes([image * (0.2 if t % 2 else 1.0) for t in range(20)]))) <= 1


def test_a_scene_that_starts_in_fast_motion_is_one_scene() -> None:
    stripes = np.zeros((HEIGHT, 40 * 30, 3), np.float32)
    stripes[:, (np.arange(stripes.shape[1]) // 90) % 2 == 0] = 0.5
    clip = [stripes[:, 25 * t : 25 * t + WIDTH] for t in range(20)]
    assert cuts(as_bytes(clip)) == []


def test_reset_forgets_the_stream(pan: Callable[..., Pictures]) -> None:
    clip = as_bytes(three_scenes(pan))
    detector = CutDetector()
    detector.push(clip[0], no_hole(clip[0]))
    detector.reset()
    assert not detector.push(clip[20], no_hole(clip[20]))
    assert [t for t, image in enumerate(clip[21:], start=21) if detector.push(image, no_hole(image))] == [22]


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (9, 16), (1080, 1920), (400, 7)])
def test_frames_of_any_size(size: tuple[int, int]) -> None:
    dark, light = np.zeros((*size, 3), np.uint8), np.full((*size, 3), 200, np.uint8)
    assert cuts([dark, dark, light, light]) == [2]
