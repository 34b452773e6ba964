from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.prepare.carrier import Carrier, known_pixels
from ptfan.engine.prepare.carry_rules import SURE, CarryRules
from ptfan.engine.prepare.completion import pull_push
from ptfan.engine.prepare.flow import FlowPair, estimate_flows
from ptfan.engine.prepare.propagation import BEYOND, propagate
from ptfan.engine.prepare.settling import Settled

RULES = CarryRules()
Pictures = list[NDArray[np.float32]]
Masks = list[NDArray[np.bool_]]


def still(height: int, width: int, dx: float = 0.0, dy: float = 0.0, doubt: float | None = None) -> FlowPair:
    """Return the exact flow of content that moves by (dx, dy), valid everywhere."""
    flow = np.broadcast_to(np.array([dx, dy], np.float32), (height, width, 2)).copy()
    doubts = [None if doubt is None else np.full((height, width), doubt, np.float32)] * 2
    return FlowPair(flow, -flow, np.ones((height, width), bool), np.ones((height, width), bool), *doubts)


def box(height: int, width: int, top: int, left: int, size: int) -> NDArray[np.bool_]:
    hole = np.zeros((height, width), bool)
    hole[top : top + size, left : left + size] = True
    return hole


def psnr(a: NDArray[np.float32], b: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    return float(-10 * np.log10(np.mean((a[where] - b[where]) ** 2)))


def random_clip(seed: int, frames: int, height: int, width: int) -> tuple[Pictures, Masks, list[FlowPair]]:
    rng = np.random.default_rng(seed)
    images = [rng.random((height, width, 3), np.float32) for _ in range(frames)]
    holes = [rng.random((height, width)) < rng.uniform(0, 0.8) for _ in range(frames)]
    flows = []
    for _ in range(frames - 1):
        # OpenCV interpolates at steps of 1/32 pixel.
        forward, backward = (rng.integers(-64, 64, (2, height, width, 2)) / 32).astype(np.float32)
        doubts = rng.uniform(0, 9, (2, height, width)).astype(np.float32) if seed % 2 else (None, None)
        flows.append(FlowPair(forward, backward, *(rng.random((2, height, width)) < 0.8), *doubts))
    return images, holes, flows


def known(image: NDArray[np.float32], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    canvas = np.dstack([image, np.ones(hole.shape)]).astype(float)
    canvas[hole] = 0
    return canvas


def fetched(canvas: NDArray[np.float64], x: float, y: float) -> NDArray[np.float64]:
    """Read a canvas bilinearly; beyond the frame there is nothing."""
    total = np.zeros(4)
    for row, share_y in ((math.floor(y), 1 - (y - math.floor(y))), (math.floor(y) + 1, y - math.floor(y))):
        for column, share_x in ((math.floor(x), 1 - (x - math.floor(x))), (math.floor(x) + 1, x - math.floor(x))):
            if 0 <= row < canvas.shape[0] and 0 <= column < canvas.shape[1]:
                total += share_y * share_x * canvas[row, column]
    return total


def carried(
    images: Pictures,
    holes: Masks,
    steps: list[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32] | None]],
) -> list[NDArray[np.float64]]:
    """Carry pixels one way in plain loops."""
    canvases = [known(images[0], holes[0])]
    for image, hole, (flow, valid, doubt) in zip(images[1:], holes[1:], steps, strict=True):
        canvas = known(image, hole)
        for y, x in zip(*np.nonzero(hole & valid), strict=True):
            kept = RULES.blind if doubt is None else RULES.decay * math.exp(-RULES.caution * doubt[y, x])
            arrived = kept * fetched(canvases[-1], x + float(flow[y, x, 0]), y + float(flow[y, x, 1]))
            canvas[y, x] = arrived if arrived[3] >= RULES.faint else 0
        thin = specks(canvas[..., 3] > 0)
        canvas[hole & thin] = 0
        canvases.append(canvas)
    return canvases


def specks(there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which pixels lie in no square of three pixels that are all there; beyond the frame all are."""
    wide = np.pad(there, 2, constant_values=True)
    fits = np.zeros_like(wide)
    for y in range(1, wide.shape[0] - 1):
        for x in range(1, wide.shape[1] - 1):
            if wide[y - 1 : y + 2, x - 1 : x + 2].all():
                fits[y - 1 : y + 2, x - 1 : x + 2] = True
    return ~fits[2:-2, 2:-2]


def reference(images: Pictures, holes: Masks, flows: list[FlowPair]) -> tuple[Pictures, Pictures]:
    past = carried(images, holes, [(pair.backward, pair.backward_validity, pair.backward_doubt) for pair in flows])
    back = [(pair.forward, pair.forward_validity, pair.forward_doubt) for pair in flows[::-1]]
    future = carried(images[::-1], holes[::-1], back)[::-1]
    filled, confidences = [], []
    for image, hole, a, b in zip(images, holes, past, future, strict=True):
        picture, confidence = image.copy(), np.ones(hole.shape, np.float32)
        for y, x in zip(*np.nonzero(hole), strict=True):
            # Colours are stored times their confidence.
            weights = [canvas[y, x, 3] ** 2 for canvas in (a, b)]
            colours = [canvas[y, x, :3] / max(canvas[y, x, 3], 1e-9) for canvas in (a, b)]
            picture[y, x] = (weights[0] * colours[0] + weights[1] * colours[1]) / max(sum(weights), 1e-9)
            confidence[y, x] = max(a[y, x, 3], b[y, x, 3])
        filled.append(pull_push(picture, confidence > 0))
        confidences.append(confidence)
    onward = settled(filled, confidences, holes, [(pair.backward, pair.backward_validity) for pair in flows])
    reverse = [(pair.forward, pair.forward_validity) for pair in flows[::-1]]
    backward = settled(filled[::-1], confidences[::-1], holes[::-1], reverse)[::-1]
    return [np.asarray((a + b) / 2, np.float32) for a, b in zip(onward, backward, strict=True)], confidences


def settled(
    filled: Pictures, confidences: Pictures, holes: Masks, steps: list[tuple[NDArray[np.float32], NDArray[np.bool_]]]
) -> Pictures:
    """Mix guesses with the frame before in plain loops."""
    done = [filled[0].astype(float)]
    for picture, confidence, hole, (flow, valid) in zip(filled[1:], confidences[1:], holes[1:], steps, strict=True):
        mixed = picture.astype(float)
        for y, x in zip(*np.nonzero(hole & valid), strict=True):
            share = RULES.settling * (1 - min(1, SURE * confidence[y, x]))
            place = np.clip((x + flow[y, x, 0], y + flow[y, x, 1]), 0, np.array(hole.shape[::-1]) - 1)
            mixed[y, x] += share * (fetched(np.dstack([done[-1], confidence]), *map(float, place))[:3] - mixed[y, x])
        done.append(mixed)
    return [np.asarray(picture, np.float32) for picture in done]


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_plain_loops(seed: int) -> None:
    clip = random_clip(seed, 1 + seed % 4, 7 + seed, 9)
    filled, confidences = propagate(*clip, rules=CarryRules(sharp=False))
    expected, expected_confidences = reference(*clip)
    for got, want in zip(confidences, expected_confidences, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)
    for got, want in zip(filled, expected, strict=True):
        np.testing.assert_allclose(got, want, atol=2e-4)


def test_however_many_pixels_are_sampled_sharply_opencv_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = random_clip(3, 4, 30, 41)
    usual, _ = propagate(*clip)
    monkeypatch.setattr("ptfan.engine.prepare.carrier.ROWS", 2)  # as if there were thousands of times more of them
    for got, want in zip(propagate(*clip)[0], usual, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_a_sharp_kernel_leaves_confidence_alone(seed: int) -> None:
    clip = random_clip(seed, 2 + seed % 3, 7 + seed, 19)
    (_, sharp), (_, smooth) = (propagate(*clip, rules=CarryRules(sharp=sharp)) for sharp in (True, False))
    for got, want in zip(sharp, smooth, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)


def test_a_sharp_kernel_keeps_detail_over_many_steps() -> None:
    """A fine pattern that moves by a fraction of a pixel a frame, behind a hole that stands still."""
    frames, step = 9, 0.4
    y, x = np.mgrid[0:40, 0:60].astype(np.float32)
    pictures = [0.5 + 0.4 * np.sin((x + step * t) * 1.8) * np.cos(y * 1.1) for t in range(frames)]
    images = [np.dstack([picture] * 3).astype(np.float32) for picture in pictures]
    holes = [np.zeros((40, 60), bool)] + [(y > 12) & (y < 28) & (x > 20) & (x < 40)] * (frames - 1)
    flow = np.dstack([np.full_like(x, -step), np.zeros_like(x)])
    everywhere = np.ones(x.shape, bool)
    flows = [FlowPair(flow, -flow, everywhere, everywhere)] * (frames - 1)
    errors = {}
    for sharp in (True, False):
        filled, _ = propagate(images, holes, flows, rules=CarryRules(sharp=sharp, settling=0.0))
        errors[sharp] = np.abs(filled[-1] - images[-1])[16:25, 24:37].mean()
    assert errors[False] > 0.1
    assert errors[True] < 0.25 * errors[False]


def test_a_sharp_kernel_does_not_ring_beside_what_is_unknown() -> None:
    """Of one grey, whatever is known and wherever it ends, nothing but that grey arrives."""
    rng = np.random.default_rng(0)
    images = [np.full((32, 48, 3), 0.8, np.float32)] * 2
    holes = [rng.random((32, 48)) < 0.4, np.zeros((32, 48), bool)]
    holes[1][8:24, 12:36] = True
    flow = rng.uniform(-1, 1, (32, 48, 2)).astype(np.float32)
    everywhere = np.ones((32, 48), bool)
    flows = [FlowPair(flow, flow, everywhere, everywhere)]
    filled, confidence = propagate(images, holes, flows, rules=CarryRules(lit=False))
    arrived = holes[1] & (confidence[1] > 0)
    assert arrived.sum() > 50
    np.testing.assert_allclose(filled[1][arrived], 0.8, atol=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_a_carrier_brings_the_past_a_frame_at_a_time(seed: int) -> None:
    images, holes, flows = random_clip(seed, 5, 9, 11)
    carrier = Carrier()
    past = []
    for t, (image, hole) in enumerate(zip(images, holes, strict=True)):
        canvas = known_pixels(image, hole)
        before = canvas.copy()
        past.append(carrier.push(canvas, hole, flows[t - 1].back if t else None))
        assert np.array_equal(canvas, before)
    whole, parts = propagate(images, holes, flows), propagate(images, holes, flows, past)
    assert np.array_equal(whole[0], parts[0])
    assert np.array_equal(whole[1], parts[1])
    # The last two frames alone, and what came from before them; guesses settle among the frames that are given.
    rules = CarryRules(settling=0.0)
    whole, late = (
        propagate(images, holes, flows, rules=rules),
        propagate(images[3:], holes[3:], flows[3:], past[3:], rules),
    )
    for t in (0, 1):
        assert np.array_equal(late[0][t], whole[0][3 + t])


def test_a_carrier_begins_anew_without_flow() -> None:
    images, holes, _ = random_clip(3, 2, 9, 11)
    carrier = Carrier()
    carrier.push(known_pixels(images[0], holes[0]), holes[0])
    assert not carrier.push(known_pixels(images[1], holes[1]), holes[1]).any()


def test_hidden_texture_is_recovered_exactly_along_the_true_flow(pan: Callable[..., Pictures]) -> None:
    clip = pan(9, 48, 64, dx=5, dy=0)
    hole = box(48, 64, 16, 24, 14)
    filled, confidences = propagate(clip, [hole] * 9, [still(48, 64, dx=-5)] * 8)
    assert confidences[4][hole].min() > 0
    np.testing.assert_allclose(filled[4][hole], clip[4][hole], atol=1e-5)


def test_hidden_texture_is_recovered_along_estimated_flow(pan: Callable[..., Pictures]) -> None:
    clip = pan(9, 64, 96, dx=5, dy=1)
    hole = box(64, 96, 22, 40, 16)
    filled, confidences = propagate(clip, [hole] * 9, estimate_flows(clip, [hole] * 9))
    smooth = pull_push(clip[4], ~hole)
    assert confidences[4][hole].mean() > 0.5
    assert psnr(filled[4], clip[4], hole) > 30
    assert psnr(filled[4], clip[4], hole) > psnr(smooth, clip[4], hole) + 8


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_known_pixels_stay_and_hole_content_has_no_influence(seed: int, frames: int) -> None:
    images, holes, flows = random_clip(seed, frames, 12, 17)
    filled, confidences = propagate(images, holes, flows)
    other = [image.copy() for image in images]
    for image, hole in zip(other, holes, strict=True):
        image[hole] = np.nan
    again, confidences_again = propagate(other, holes, flows)
    for t, hole in enumerate(holes):
        assert np.array_equal(filled[t][~hole], images[t][~hole])
        assert np.array_equal(filled[t], again[t])
        assert np.array_equal(confidences[t], confidences_again[t])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_confidence_is_one_at_known_pixels_and_nothing_or_more_than_faint_in_holes(seed: int, frames: int) -> None:
    images, holes, flows = random_clip(seed, frames, 10, 14)
    for confidence, hole in zip(propagate(images, holes, flows)[1], holes, strict=True):
        assert (confidence[~hole] == 1).all()
        inside = confidence[hole]
        assert ((inside == 0) | (inside >= RULES.faint)).all()
        assert (inside <= RULES.decay + 1e-6).all()


@pytest.mark.parametrize(("doubt", "kept"), [(None, RULES.blind), (0.0, RULES.decay), (2.0, RULES.decay * 0.67032)])
def test_confidence_falls_at_every_step_by_what_is_known_of_the_flow(doubt: float | None, kept: float) -> None:
    assert RULES.caution == 0.2  # exp(-0.4) = 0.67032
    images = [np.zeros((6, 6, 3), np.float32)] * 4
    hole = box(6, 6, 2, 2, 2)
    holes = [np.zeros((6, 6), bool), hole, hole, hole]
    confidences = propagate(images, holes, [still(6, 6, doubt=doubt)] * 3)[1]
    for t in (1, 2, 3):
        np.testing.assert_allclose(confidences[t][hole], kept**t, rtol=1e-5)


def test_faint_pixels_are_dropped() -> None:
    images = [np.ones((6, 6, 3), np.float32)] * 4
    hole = box(6, 6, 2, 2, 2)
    rules = CarryRules(blind=0.5, faint=0.2)
    confidences = propagate(images, [~hole & hole, hole, hole, hole], [still(6, 6)] * 3, rules=rules)[1]
    assert [float(confidence[hole].max()) for confidence in confidences] == [1, 0.5, 0.25, 0]


def test_guesses_settle_and_pixels_that_were_seen_do_not_care(pan: Callable[..., Pictures]) -> None:
    # The same hole in still pictures of changing light: nothing is ever seen behind it.
    hole = box(24, 24, 8, 8, 8)
    images = [np.full((24, 24, 3), light, np.float32) for light in (0.3, 0.7, 0.3, 0.7, 0.3)]
    flows = [still(24, 24)] * 4
    calm, rough = (
        propagate(images, [hole] * 5, flows, rules=CarryRules(settling=settling, lit=False))[0]
        for settling in (0.8, 0.0)
    )
    change = [np.abs(np.diff([frame[hole].mean() for frame in clip])).mean() for clip in (calm, rough)]
    assert change[1] == pytest.approx(0.4, abs=1e-3)
    assert change[0] < 0.15
    assert all(np.array_equal(a[~hole], b[~hole]) for a, b in zip(calm, images, strict=True))
    seen = [np.zeros_like(hole), hole, np.zeros_like(hole)]
    moving = pan(3, 24, 24, dx=2, dy=0)
    a, b = (
        propagate(moving, seen, [still(24, 24, dx=-2)] * 2, rules=CarryRules(settling=settling))[0][1]
        for settling in (0.8, 0.0)
    )
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_colours_are_completed_before_they_settle_in_no_more_frames_than_needed() -> None:
    images = [np.full((12, 16, 3), 0.5, np.float32)] * 9
    hole = np.zeros((12, 16), bool)
    hole[3:9, 4:12] = True
    flows = [still(12, 16)] * 8
    seen: list[int] = []

    def flickering(pictures: Any, confidences: Any, holes: Any) -> Any:
        assert all(np.array_equal(plane > 0, ~mask) for plane, mask in zip(confidences, holes, strict=True))
        seen.append(len(pictures))
        return [np.where(hole[..., None], np.float32(t % 2), picture) for t, picture in enumerate(pictures)]

    def fill(settling: float, wanted: int | None) -> Any:
        rules = CarryRules(settling=settling)
        return propagate(images, [hole] * 9, flows, rules=rules, wanted=wanted, colours=flickering)[0]

    assert [picture[hole].mean() for picture in fill(0.0, 4)] == [0, 1, 0, 1]
    calm = fill(0.9, None)
    assert np.abs(np.diff([picture[hole].mean() for picture in calm])).max() < 0.2
    assert all(np.array_equal(picture[~hole], image[~hole]) for picture, image in zip(calm, images, strict=True))
    assert seen == [4 + BEYOND, 9]


def test_guesses_go_on_from_a_frame_that_has_settled(pan: Callable[..., Pictures]) -> None:
    images = pan(4, 24, 24, dx=0, dy=0)
    hole, flows = box(24, 24, 8, 8, 8), [still(24, 24)] * 3
    before = images[0].copy()
    before[hole] = 0.9
    plain = propagate(images, [hole] * 4, flows)[0]
    given = before.copy()
    first, *others = propagate(images, [hole] * 4, flows, before=Settled(0, given))[0]
    assert np.array_equal(given, before), "what was given stays as it was"
    assert np.array_equal(first, before)
    assert all(other[hole].mean() > old[hole].mean() for other, old in zip(others, plain[1:], strict=True))
    assert all(np.array_equal(a[~hole], b[~hole]) for a, b in zip([first, *others], plain, strict=True))


def test_arrivals_are_mixed_by_the_square_of_their_confidence() -> None:
    hole, none = box(6, 6, 2, 2, 2), np.zeros((6, 6), bool)
    images = [np.full((6, 6, 3), value, np.float32) for value in (0.2, 0.5, 0.5, 0.8)]
    filled, _ = propagate(images, [none, hole, hole, none], [still(6, 6)] * 3)
    near, far = RULES.blind**2, RULES.blind**4  # squares of one step's confidence and of two steps'
    np.testing.assert_allclose(filled[1][hole], (0.2 * near + 0.8 * far) / (near + far), rtol=1e-5)


def test_flow_that_is_not_valid_brings_nothing() -> None:
    hole, none = box(8, 8, 2, 2, 3), np.zeros((8, 8), bool)
    images = [np.full((8, 8, 3), value, np.float32) for value in (0.1, 0.9)]
    pair = still(8, 8)
    blocked = FlowPair(pair.forward, pair.backward, none, none)
    filled, confidences = propagate(images, [none, hole], [blocked])
    assert not confidences[1][hole].any()
    np.testing.assert_allclose(filled[1][hole], 0.9, rtol=1e-5)  # from its surroundings alone


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_hole_and_nothing_but_hole(share: float) -> None:
    images, _, flows = random_clip(0, 3, 8, 8)
    filled, confidences = propagate(images, [np.full((8, 8), share == 1.0)] * 3, flows)
    for image, picture, confidence in zip(images, filled, confidences, strict=True):
        assert np.array_equal(picture, image if share == 0 else np.zeros_like(image))
        assert (confidence == 1 - share).all()


def test_the_arguments_are_left_alone() -> None:
    images, holes, flows = random_clip(5, 3, 9, 9)
    before = [image.copy() for image in images]
    propagate(images, holes, flows)
    assert all(np.array_equal(a, b) for a, b in zip(images, before, strict=True))
