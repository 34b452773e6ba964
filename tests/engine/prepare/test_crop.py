from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.frame import Box
from ptfan.engine.prepare.crop import Crop, CropRules, _merge_overlapping, fit_crop, plan_crops

Hole = NDArray[np.bool_]
FRAMES = [(5, 3), (1, 1), (3, 200), (64, 48), (45, 80), (121, 67), (240, 432), (432, 240), (719, 401)]


@st.composite
def holes(draw: st.DrawFn) -> Hole:
    """Draw a frame's size and up to four boxes in it."""
    height, width = draw(st.sampled_from(FRAMES))
    hole = np.zeros((height, width), bool)
    for _ in range(draw(st.integers(1, 4))):
        y, x = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        hole[y : y + draw(st.integers(1, height)) // 3 + 1, x : x + draw(st.integers(1, width)) // 3 + 1] = True
    return hole


RULES = st.builds(
    CropRules,
    working_size=st.sampled_from([None, (432, 240), (64, 40), (16, 16)]),
    whole_frame=st.booleans(),
    fixed_size=st.sampled_from([None, (64, 40), (432, 240)]),
)
LIMITED = st.builds(
    CropRules,
    working_size=st.sampled_from([None, (432, 240), (64, 40)]),
    whole_frame=st.booleans(),
    smallest=st.sampled_from([(8, 8), (24, 16), (64, 40)]),
    largest=st.sampled_from([(64, 40), (80, 400)]),
)


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


@settings(max_examples=120, deadline=None)
@given(holes(), RULES)
def test_crops_hold_the_whole_hole_and_fit_the_network(hole: Hole, rules: CropRules) -> None:
    height, width = hole.shape
    crops = plan_crops(hole, rules)
    times = np.zeros(hole.shape, int)
    for crop in crops:
        assert crop.box.common(Box(0, 0, width, height)) == crop.box
        times[crop.box.slices] += 1
        assert crop.size[0] <= min(crop.box.width, crop.padded[0])
        assert crop.size[1] <= min(crop.box.height, crop.padded[1])
        assert min(crop.size) >= 1
        if rules.fixed_size is not None:
            assert crop.padded == rules.fixed_size
        else:
            assert [side % 8 for side in crop.padded] == [0, 0]
            assert max(crop.padded[0] - crop.size[0], crop.padded[1] - crop.size[1]) < 8
    assert (times[hole] == 1).all()
    assert times.max() <= 1
    assert not any(overlap(a.box, b.box) for a in crops for b in crops if a is not b)


@settings(max_examples=120, deadline=None)
@given(holes(), LIMITED)
def test_crops_are_as_large_as_the_network_takes(hole: Hole, rules: CropRules) -> None:
    assert rules.smallest is not None
    assert rules.largest is not None
    for crop in plan_crops(hole, rules):
        for side, padded, least, most in zip(crop.size, crop.padded, rules.smallest, rules.largest, strict=True):
            assert side <= padded
            assert least <= padded <= most
            assert padded % 8 == 0
            assert padded == least or padded - side < 8


@settings(max_examples=60, deadline=None)
@given(holes())
def test_a_crop_is_scaled_to_the_working_size_s_area_and_not_below(hole: Hole) -> None:
    for crop in plan_crops(hole, CropRules(working_size=(64, 40))):
        area = crop.box.width * crop.box.height
        if area <= 64 * 40:
            assert crop.size == (crop.box.width, crop.box.height)
        elif min(crop.size) > 32:
            assert 0.7 < crop.size[0] * crop.size[1] / (64 * 40) < 1.4


def test_context_surrounds_the_hole() -> None:
    hole = np.zeros((240, 432), bool)
    hole[100:140, 200:260] = True
    (crop,) = plan_crops(hole, CropRules())
    assert crop.box.union(Box(200 - 32, 100 - 32, 60 + 64, 40 + 64)) == crop.box
    assert crop.box.width * crop.box.height < 0.3 * hole.size
    assert crop.size == (crop.box.width, crop.box.height) == crop.padded


def test_far_holes_get_crops_of_their_own_and_near_ones_share() -> None:
    hole = np.zeros((240, 432), bool)
    hole[20:30, 20:40] = hole[200:210, 380:400] = True
    assert len(plan_crops(hole, CropRules())) == 2
    hole[200:210, 380:400] = False
    hole[20:30, 60:80] = True
    assert len(plan_crops(hole, CropRules())) == 1


def test_a_union_that_reaches_a_third_box_takes_it_in() -> None:
    boxes = [Box(0, 0, 10, 10), Box(20, 0, 10, 10), Box(60, 0, 5, 5), Box(5, 5, 18, 10)]
    assert _merge_overlapping(boxes) == [Box(0, 0, 30, 15), Box(60, 0, 5, 5)]


def test_crops_that_are_nearly_everything_become_the_frame() -> None:
    hole = np.zeros((240, 432), bool)
    hole[30:200, 60:380] = True
    (crop,) = plan_crops(hole, CropRules())
    assert crop.box == Box(0, 0, 432, 240)


def test_whole_frame() -> None:
    hole = np.zeros((45, 81), bool)
    hole[0, 0] = True
    (crop,) = plan_crops(hole, CropRules(whole_frame=True))
    assert (crop.box, crop.size, crop.padded) == (Box(0, 0, 81, 45), (81, 45), (88, 48))


@pytest.mark.parametrize("whole", [False, True])
def test_no_hole_no_crop(whole: bool) -> None:
    assert plan_crops(np.zeros((40, 60), bool), CropRules(whole_frame=whole)) == []


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (4096, 64)])
def test_a_fixed_size_keeps_the_shape(width: int, height: int) -> None:
    crop = fit_crop(Box(0, 0, width, height), CropRules(fixed_size=(432, 240)))
    assert crop.padded == (432, 240)
    assert crop.size[0] / crop.size[1] == pytest.approx(width / height, rel=0.05)
    assert crop.size[0] == 432 or crop.size[1] == 240


def picture(seed: int, height: int, width: int, dtype: Any) -> tuple[NDArray[Any], Hole]:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, np.iinfo(dtype).max, (height, width, 3), endpoint=True).astype(dtype)
    return image, rng.random((height, width)) < 0.2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_at_scale_one_pixels_are_kept(dtype: Any) -> None:
    image, hole = picture(0, 37, 53, dtype)
    crop = fit_crop(Box(5, 3, 41, 29), CropRules())
    pixels, missing = crop.extract(image, hole)
    region, known = image[3:32, 5:46], ~hole[3:32, 5:46]
    assert pixels.shape == (32, 48, 3)
    assert pixels.dtype == np.float32
    assert np.array_equal(missing[:29, :41], ~known)
    assert np.array_equal(np.rint(pixels[:29, :41] * np.iinfo(dtype).max)[known], region[known])
    assert not pixels[missing].any()
    assert np.array_equal(crop.restore(pixels), pixels[:29, :41])


def test_padding_repeats_the_outermost_pixels() -> None:
    image, hole = picture(1, 29, 41, np.uint8)
    pixels, missing = fit_crop(Box(0, 0, 41, 29), CropRules()).extract(image, hole)
    for array in (pixels, missing):
        assert np.array_equal(array[29:, :41], np.broadcast_to(array[28:29, :41], array[29:, :41].shape))
        assert np.array_equal(array[:, 41:], np.broadcast_to(array[:, 40:41], array[:, 41:].shape))


def covered(index: int, scale: float, size: int) -> list[tuple[int, float]]:
    overlaps = [(k, min((index + 1) * scale, k + 1) - max(index * scale, k)) for k in range(size)]
    return [(k, overlap) for k, overlap in overlaps if overlap > 1e-9]


@pytest.mark.parametrize("size", [(16, 8), (24, 24), (40, 16)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_scaling_down_averages_known_pixels_alone(size: tuple[int, int], dtype: Any) -> None:
    image, hole = picture(2, 27, 44, dtype)
    hole[:, 30:] = False
    crop = Crop(Box(0, 0, 44, 27), size, size)
    pixels, missing = crop.extract(image, hole)
    for i in range(size[1]):
        for j in range(size[0]):
            under = [(y, x, a * b) for y, a in covered(i, 27 / size[1], 27) for x, b in covered(j, 44 / size[0], 44)]
            assert missing[i, j] == any(hole[y, x] for y, x, _ in under)
            if not missing[i, j]:
                mean = sum(image[y, x].astype(float) * share for y, x, share in under) / sum(s for *_, s in under)
                np.testing.assert_allclose(pixels[i, j], mean / np.iinfo(dtype).max, atol=1e-5)
    assert not pixels[missing].any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(40, 24), (24, 16), (8, 8)]))
def test_the_hole_s_content_has_no_influence(seed: int, size: tuple[int, int]) -> None:
    image, hole = picture(seed, 24, 40, np.uint8)
    other = image.copy()
    other[hole] = np.random.default_rng(seed + 1).integers(0, 255, (np.count_nonzero(hole), 3))
    crop = Crop(Box(0, 0, 40, 24), size, size)
    for a, b in zip(crop.extract(image, hole), crop.extract(other, hole), strict=True):
        assert np.array_equal(a, b)


def test_restore_is_the_way_back_from_a_smaller_size() -> None:
    y, x = np.mgrid[0:48, 0:80].astype(np.float32)
    smooth = np.stack([x / 80, y / 48, (x + y) / 128], axis=-1)
    image = np.rint(smooth * 65535).astype(np.uint16)
    crop = Crop(Box(0, 0, 80, 48), (40, 24), (40, 24))
    restored = crop.restore(crop.extract(image, np.zeros((48, 80), bool))[0])
    assert restored.shape == (48, 80, 3)
    np.testing.assert_allclose(restored[4:-4, 4:-4], smooth[4:-4, 4:-4], atol=0.01)
