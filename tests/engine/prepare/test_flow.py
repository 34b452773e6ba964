from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.prepare.flow import DisFlow, FlowPair, estimate_flows, estimate_pair, guide_image

Pictures = list[NDArray[np.float32]]
HEIGHT, WIDTH = 64, 96
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
MOTION = np.array([-3, -1], np.float32)


def box_hole(top: int = 20, left: int = 30, height: int = 20, width: int = 24) -> NDArray[np.bool_]:
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[top : top + height, left : left + width] = True
    return hole


def same(a: FlowPair, b: FlowPair) -> bool:
    names = ("forward", "backward", "forward_validity", "backward_validity")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_what_stands_in_the_hole_has_no_influence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    holes = [box_hole(), box_hole(top=22, left=34)]
    clip = [rng.random((HEIGHT, WIDTH, 3), np.float32) for _ in holes]
    other = [
        np.where(hole[..., None], np.float32(rng.random()), image) for hole, image in zip(holes, clip, strict=True)
    ]
    other[0][holes[0]] = np.nan
    for a, b, hole in zip(clip, other, holes, strict=True):
        assert np.array_equal(guide_image(a, hole), guide_image(b, hole))
    assert same(estimate_flows(clip, holes)[0], estimate_flows(other, holes)[0])


def test_guide_image_is_the_luminance_of_known_pixels(texture: Callable[..., NDArray[np.float32]]) -> None:
    image, hole = texture(HEIGHT, WIDTH), box_hole()
    guide = guide_image(image, hole)
    luminance = image @ LUMINANCE * 255
    assert guide.dtype == np.uint8
    np.testing.assert_allclose(guide[~hole], luminance[~hole], atol=0.51)
    assert guide[hole].min() >= guide[~hole].min()
    assert guide[hole].max() <= guide[~hole].max()


@pytest.mark.parametrize("hole", [np.zeros((HEIGHT, WIDTH), bool), box_hole()], ids=["no hole", "hole"])
def test_a_translation_is_recovered(pan: Callable[..., Pictures], hole: NDArray[np.bool_]) -> None:
    clip = pan(3, HEIGHT, WIDTH, dx=3, dy=1)
    pairs = estimate_flows(clip, [hole] * 3)
    assert len(pairs) == 2
    inner = (slice(10, -10), slice(10, -10))
    for pair in pairs:
        forward, backward = pair.forward[inner], pair.backward[inner]
        assert np.abs(forward - MOTION).mean() < 0.1
        assert np.abs(backward + MOTION).mean() < 0.1
        assert np.abs(forward - MOTION).max() < 0.7
        assert pair.forward_validity[inner].all()
        assert pair.backward_validity[inner].all()


@pytest.mark.parametrize("size", [(48, 64), (72, 88), (104, 144), (240, 40)])
def test_fast_motion_is_found_in_small_pictures(pan: Callable[..., Pictures], size: tuple[int, int]) -> None:
    guides = [guide_image(image, np.zeros(size, bool)) for image in pan(2, *size, dx=16, dy=4)]
    error = np.linalg.norm(DisFlow()(*guides) - np.array([-16, -4]), axis=2)
    assert error[16:-16, 16:-16].mean() < 0.5


def test_flow_in_the_hole_comes_from_its_surroundings() -> None:
    hole = box_hole()
    wrong = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    wrong[...] = (2.0, -1.0)
    wrong[18:42, 28:56] = 50.0  # also just outside the hole, where an estimator's patches reach into it

    grey = np.zeros((HEIGHT, WIDTH), np.uint8)
    forward, _ = estimate_pair(lambda source, target: wrong, grey, grey, hole, hole)
    np.testing.assert_allclose(forward[..., 0], 2.0, atol=1e-4)
    np.testing.assert_allclose(forward[..., 1], -1.0, atol=1e-4)


def test_refined_flow_is_closer_to_the_truth_round_a_hole(pan: Callable[..., Pictures]) -> None:
    # Thin strokes, so that an estimator's patches see the holes wherever they look.
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[16:48:8, 16:80] = hole[17:49:8, 16:80] = hole[18:50:8, 16:80] = True
    clip = pan(4, HEIGHT, WIDTH, dx=3, dy=1)
    errors = [
        np.mean(
            [np.abs(pair.forward - MOTION)[hole].mean() for pair in estimate_flows(clip, [hole] * 4, refine=refine)]
        )
        for refine in (False, True)
    ]
    assert errors[1] < 0.8 * errors[0]


def test_still_pictures_have_no_flow(texture: Callable[..., NDArray[np.float32]]) -> None:
    image = texture(HEIGHT, WIDTH)
    (pair,) = estimate_flows([image, image], [box_hole()] * 2)
    assert np.abs(pair.forward).max() < 0.05
    assert pair.forward_validity.all()


def test_the_estimator_keeps_no_memory_of_other_pictures(pan: Callable[..., Pictures]) -> None:
    a, b, c = (guide_image(image, np.zeros((HEIGHT, WIDTH), bool)) for image in pan(3, HEIGHT, WIDTH))
    estimator = DisFlow()
    first = estimator(a, b)
    estimator(b, c)
    estimator(a[:40, :50].copy(), c[:40, :50].copy())
    assert np.array_equal(estimator(a, b), first)
    assert np.array_equal(DisFlow()(a, b), first)


@pytest.mark.parametrize("size", [(3, 5), (1, 1), (15, 200), (16, 16), (16, 200), (200, 17), (24, 31)])
def test_small_and_thin_pictures(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    clip = [rng.random((*size, 3), np.float32) for _ in range(2)]
    hole = np.zeros(size, bool)
    hole[: size[0] // 2 + 1, : size[1] // 2 + 1] = True
    (pair,) = estimate_flows(clip, [hole, hole])
    assert pair.forward.shape == (*size, 2)
    assert np.isfinite(pair.forward).all()
    if min(size) < 16:
        assert not pair.forward.any()
        assert pair.forward_validity.all()


def test_one_frame_has_no_flow(texture: Callable[..., NDArray[np.float32]]) -> None:
    assert estimate_flows([texture(32, 32)], [np.zeros((32, 32), bool)]) == []


def test_a_pair_does_not_depend_on_the_pair_before() -> None:
    rng = np.random.default_rng(0)
    guides = [cv2.GaussianBlur((255 * rng.random((40, 40))).astype(np.uint8), (0, 0), 2.0) for _ in range(6)]
    used = DisFlow()
    for source, target in zip(guides[::2], guides[1::2], strict=True):
        assert np.array_equal(used(source, target), DisFlow()(source, target))


@pytest.mark.parametrize("appears", [True, False], ids=["appears", "goes"])
def test_a_hole_that_comes_or_goes_hides_nothing_of_its_neighbour(pan: Callable[..., Pictures], appears: bool) -> None:
    """What a frame knows can be carried into its neighbour's hole, though nothing could be matched there."""
    clip, none = pan(2, HEIGHT, WIDTH, dx=3, dy=1), np.zeros((HEIGHT, WIDTH), bool)
    (pair,) = estimate_flows(clip, [none, box_hole()] if appears else [box_hole(), none])
    inner = (slice(10, -10), slice(10, -10))
    assert np.abs(pair.forward[inner] - MOTION).mean() < 0.1
    assert np.abs(pair.backward[inner] + MOTION).mean() < 0.1
    into = pair.backward_validity if appears else pair.forward_validity
    assert into[box_hole()].mean() > 0.98


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("stays", [True, False], ids=["beside another one", "alone"])
def test_a_hole_that_comes_or_goes_moves_nothing_round_it(seed: int, stays: bool) -> None:
    noise = cv2.GaussianBlur(np.random.default_rng(seed).random((HEIGHT, WIDTH, 3), np.float32), (0, 0), 2)
    picture = cv2.normalize(noise, None, 0, 1, cv2.NORM_MINMAX)
    before = box_hole(44, 60, 16, 30) & stays
    for holes in ([before, before | box_hole()], [before | box_hole(), before]):
        (pair,) = estimate_flows([picture, picture], holes)
        assert max(np.abs(pair.forward).max(), np.abs(pair.backward).max()) < 0.03
