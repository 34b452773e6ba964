from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Box, Frame
from ptfan.engine.prepare.completions import Completions
from ptfan.engine.prepare.crop import CropRules, plan_crops
from ptfan.engine.prepare.flow import DisFlow, estimate_flows
from ptfan.engine.prepare.preparer import Preparer, PreparerSettings, Window
from ptfan.engine.prepare.propagation import propagate

Pictures = list[NDArray[np.float32]]
HEIGHT, WIDTH = 48, 64


class CountingFlow:
    """No motion; counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, source: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls += 1
        return np.zeros((*source.shape, 2), np.float32)


def preparer(window: int = 6, stride: int = 3, **options: Any) -> Preparer:
    parts = {
        "estimator": options.pop("estimator", None),
        "completions": Completions(colours=options.pop("colours", None)),
    }
    options = {"rules": CropRules(), "fill": "propagated", **options}
    return Preparer(PreparerSettings(window=window, stride=stride, **options), **parts)


def hole(top: int = 20, left: int = 24, height: int = 10, width: int = 12) -> NDArray[np.bool_]:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def frames(clip: Pictures, masks: list[NDArray[np.bool_]] | None = None) -> list[Frame]:
    masks = masks or [hole()] * len(clip)
    pairs = enumerate(zip(clip, masks, strict=True))
    return [Frame(np.rint(image * 255).astype(np.uint8), mask, tag=t) for t, (image, mask) in pairs]


def run(worker: Preparer, items: list[Frame]) -> list[Window]:
    return [window for item in items for window in worker.push(item)] + worker.flush()


def kept(windows: list[Window]) -> list[object]:
    return [window.frames[t].tag for window in windows for t in window.keep]


def test_every_frame_is_kept_once_in_order(pan: Callable[..., Pictures]) -> None:
    windows = run(preparer(), frames(pan(20, HEIGHT, WIDTH)))
    assert kept(windows) == list(range(20))
    assert {len(window.frames) for window in windows} == {6}


def test_a_window_holds_what_the_network_needs(pan: Callable[..., Pictures]) -> None:
    (window, *_) = run(preparer(), frames(pan(8, HEIGHT, WIDTH)))
    (job,) = window.crops
    width, height = job.crop.padded
    assert {array.shape[0] for array in job.arrays.values()} == {6}
    assert {array.shape[2:] for array in job.arrays.values()} == {(height, width)}
    for t, (image, mask) in enumerate(zip(job.images, job.holes, strict=True)):
        assert np.array_equal(job.arrays["hole"][t, 0], mask)
        assert np.array_equal(job.arrays["frames"][t].transpose(1, 2, 0)[~mask], image[~mask])


def test_inputs_beyond_the_kept_frames_can_wait_until_they_are_asked_for(pan: Callable[..., Pictures]) -> None:
    items = frames(pan(10, HEIGHT, WIDTH))
    for now, later in zip(run(preparer(), items), run(preparer(beyond=False), items), strict=True):
        (job,), (lazy,) = now.crops, later.crops
        assert {len(array) for array in lazy.arrays.values()} == {now.keep.stop}
        assert np.array_equal(lazy.arrays["frames"], job.arrays["frames"][: now.keep.stop])
        whole = lazy.whole()
        assert all(np.array_equal(whole[name], array) for name, array in job.arrays.items())


@pytest.mark.parametrize("lead", [None, 1])
def test_what_is_asked_for_twice_is_the_same(pan: Callable[..., Pictures], lead: int | None) -> None:
    masks = [hole(left=10 + 2 * t) for t in range(10)]
    for window in run(preparer(beyond=False, lead=lead), frames(pan(10, HEIGHT, WIDTH), masks)):
        (job,) = window.crops
        first, second = job.whole(), job.whole()
        for name, array in job.arrays.items():
            assert np.array_equal(first[name], second[name])
            # The last frame's flow to the one behind it is known to the whole alone.
            most = len(array) - 1 if name in ("flow_forward", "validity_forward") else len(array)
            assert np.array_equal(first[name][:most], array[:most])


def test_guesses_do_not_jump_where_one_window_follows_another(pan: Callable[..., Pictures]) -> None:
    items, changes = frames(pan(1, HEIGHT, WIDTH) * 102), []
    for seed in range(8):
        rng = np.random.default_rng(seed)

        def guess(pictures: Any, confidences: Any, holes: Any, rng: Any = rng) -> Any:
            made_up = rng.normal(0.5, 0.2, len(pictures)).astype(np.float32)
            return [np.where(h[..., None], g, p) for g, p, h in zip(made_up, pictures, holes, strict=True)]

        windows = run(preparer(30, 24, colours=guess), items)
        inside = windows[0].crops[0].holes[0]
        fills = np.stack([window.crops[0].arrays["frames"][t][:, inside] for window in windows for t in window.keep])
        changes.append(np.abs(np.diff(fills, axis=0)).mean(axis=(1, 2)))
    seams = [26, 50, 74]
    usual = np.delete(np.mean(changes, axis=0), seams).mean()
    assert np.mean(changes, axis=0)[seams].mean() < 2.2 * usual


def test_flow_is_estimated_once_a_pair_while_the_crop_stays(pan: Callable[..., Pictures]) -> None:
    estimator = CountingFlow()
    run(preparer(estimator=estimator, scene_cuts=False), frames(pan(30, HEIGHT, WIDTH)))
    assert estimator.calls == 2 * 29


def test_motion_does_not_depend_on_what_is_remembered(pan: Callable[..., Pictures]) -> None:
    items = frames(pan(9, HEIGHT, WIDTH))
    last = run(preparer(), items)[-1].crops[0].arrays
    afresh = run(preparer(), items[3:])[0].crops[0].arrays
    for name in set(last) - {"frames", "guidance"}:
        assert np.array_equal(last[name], afresh[name])


def test_pixels_come_from_before_the_window(pan: Callable[..., Pictures]) -> None:
    clip = pan(30, HEIGHT, WIDTH)
    items = frames(clip)
    last = run(preparer(rules=CropRules(whole_frame=True)), items)[-1]
    (job,) = last.crops
    masks = [mask.hole for mask in items]
    quantised = [item.image.astype(np.float32) / np.float32(255) for item in items]
    pairs = estimate_flows(quantised, masks)
    filled, confidence = propagate(quantised, masks, pairs)
    for t in range(6):
        np.testing.assert_allclose(job.arrays["frames"][t].transpose(1, 2, 0), filled[24 + t], atol=1e-5)
        np.testing.assert_allclose(job.arrays["guidance"][t, 0], confidence[24 + t], atol=1e-5)
    afresh = run(preparer(rules=CropRules(whole_frame=True)), items[24:])[0].crops[0].arrays["guidance"]
    assert job.arrays["guidance"].sum() > afresh.sum()


def test_pixels_do_not_cross_a_stretch_without_holes(pan: Callable[..., Pictures]) -> None:
    none = np.zeros((HEIGHT, WIDTH), bool)
    masks = [hole()] * 6 + [none] * 12 + [hole()] * 6
    items = frames(pan(24, HEIGHT, WIDTH), masks)
    windows = [window for window in run(preparer(rules=CropRules(whole_frame=True)), items) if window.crops]
    alone = run(preparer(rules=CropRules(whole_frame=True)), items[18:])[-1]
    shown, expected = windows[-1].crops[0].arrays["guidance"], alone.crops[0].arrays["guidance"]
    # The frame before the hole's return is known throughout, so that history adds nothing.
    assert (shown[-3:] >= expected[-3:] - 1e-6).all()


def test_windows_without_a_hole_need_no_network(pan: Callable[..., Pictures]) -> None:
    estimator = CountingFlow()
    masks = [np.zeros((HEIGHT, WIDTH), bool)] * 12
    windows = run(preparer(estimator=estimator), frames(pan(12, HEIGHT, WIDTH), masks))
    assert kept(windows) == list(range(12))
    assert all(window.crops == () for window in windows)
    assert estimator.calls == 0


def test_a_hole_that_comes_and_goes(pan: Callable[..., Pictures]) -> None:
    empty = np.zeros((HEIGHT, WIDTH), bool)
    masks = [hole() if 12 <= t < 20 else empty for t in range(40)]
    worker = preparer(scene_cuts=False)
    windows = run(worker, frames(pan(40, HEIGHT, WIDTH, dx=1), masks))
    assert kept(windows) == list(range(40))
    for window in windows:
        assert bool(window.crops) == any(window.frames[t].hole.any() for t in window.keep)


def test_crops_stay_while_the_hole_stays_in_their_middle(texture: Callable[..., NDArray[np.float32]]) -> None:
    clip = [texture(120, 200)] * 24
    masks = []
    for t in range(24):
        mask = np.zeros((120, 200), bool)
        mask[50:70, 80 + t // 4 : 100 + t // 4] = True
        masks.append(mask)
    windows = run(preparer(estimator=CountingFlow()), frames(clip, masks))
    assert len({window.crops[0].crop for window in windows}) == 1


def test_crops_of_a_hole_that_stands_still_are_planned_once(
    pan: Callable[..., Pictures], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = []

    def plan(*args: Any) -> Any:
        planned.append(args)
        return plan_crops(*args)

    monkeypatch.setattr("ptfan.engine.prepare.crop_tracker.plan_crops", plan)
    clip = pan(24, HEIGHT, WIDTH)
    windows = run(preparer(scene_cuts=False), frames(clip, [hole() for _ in clip]))  # equal masks, not one
    assert len(windows) > 5
    assert len(planned) == 1


def test_crops_follow_a_hole_that_leaves_them(texture: Callable[..., NDArray[np.float32]]) -> None:
    clip = [texture(120, 400)] * 30
    masks = []
    for t in range(30):
        mask = np.zeros((120, 400), bool)
        mask[50:70, 12 * t : 12 * t + 20] = True
        masks.append(mask)
    windows = run(preparer(estimator=CountingFlow()), frames(clip, masks))
    assert len({window.crops[0].crop for window in windows}) > 2
    for window in windows:
        union = np.logical_or.reduce([frame.hole for frame in window.frames])
        for job in window.crops:
            union[job.crop.box.slices] = False
        assert not union.any()


def test_crops_shrink_when_the_hole_does(texture: Callable[..., NDArray[np.float32]]) -> None:
    masks = [np.zeros((120, 200), bool) for _ in range(24)]
    for t, mask in enumerate(masks):
        mask[40:80, 60:140] = t < 10
        mask[58:62, 98:102] = True
    windows = run(preparer(estimator=CountingFlow()), frames([texture(120, 200)] * 24, masks))
    areas = [window.crops[0].crop.box.width * window.crops[0].crop.box.height for window in windows]
    assert areas[-1] < 0.5 * areas[0]


def test_nothing_crosses_a_cut(pan: Callable[..., Pictures]) -> None:
    first, second = pan(10, 96, 128, seed=1), [image * 0.3 for image in pan(9, 96, 128, seed=2)]
    masks = [np.zeros((96, 128), bool) for _ in range(19)]
    for t, mask in enumerate(masks):
        mask[40 : 52 if t < 10 else 50, 56:70] = True  # the first scene's crop would do for the second, too
    together = run(preparer(), frames(first + second, masks))
    apart = run(preparer(), frames(first, masks[:10])) + run(preparer(), frames(second, masks[10:]))
    assert kept(together) == list(range(19))
    assert together[0].crops[0].crop != together[-1].crops[0].crop
    assert len(together) == len(apart)
    for a, b in zip(together, apart, strict=True):
        assert a.keep == b.keep
        for job, alone in zip(a.crops, b.crops, strict=True):
            assert job.crop == alone.crop
            assert all(np.array_equal(job.arrays[name], alone.arrays[name]) for name in job.arrays)


def test_a_cut_is_told_of(pan: Callable[..., Pictures]) -> None:
    clip = pan(10, HEIGHT, WIDTH, seed=1) + [image * 0.3 for image in pan(9, HEIGHT, WIDTH, seed=2)]
    windows = run(preparer(), frames(clip))
    found = [window.frames[t].tag for window in windows for t in window.keep if window.frames[t].cut]
    assert found == [10]
    quiet = run(preparer(scene_cuts=False), frames(clip))
    assert not any(frame.cut for window in quiet for frame in window.frames)


@pytest.mark.parametrize("scene_cuts", [True, False])
def test_a_cut_that_a_frame_tells_of_is_one_cut(pan: Callable[..., Pictures], scene_cuts: bool) -> None:
    clip = pan(8, HEIGHT, WIDTH, seed=1) + [image * 0.3 for image in pan(8, HEIGHT, WIDTH, seed=2)]
    items = frames(clip)
    items[8] = Frame(items[8].image, items[8].hole, tag=8, cut=True)
    windows = run(preparer(scene_cuts=scene_cuts), items)
    assert kept(windows) == list(range(16))
    assert [window.frames[t].tag for window in windows for t in window.keep if window.frames[t].cut] == [8]
    assert {len(window.frames) for window in windows} == {6}


def test_memory_is_bounded() -> None:
    worker = preparer(estimator=CountingFlow(), rules=CropRules(whole_frame=True), scene_cuts=False)
    mask = np.zeros((16, 24), bool)
    mask[4:8, 4:10] = True
    for t in range(500):
        worker.push(Frame(np.full((16, 24, 3), t % 251, np.uint8), mask))
        views = worker._tracker._views
        assert len(views) <= 1
        for view in views:
            assert len(view._frames) <= 6
            assert len(view._flows) <= 6
            assert len(view._inputs._arrived) <= 6


def test_reset_forgets_waiting_frames_and_the_size(pan: Callable[..., Pictures]) -> None:
    worker = preparer()
    for item in frames(pan(4, HEIGHT, WIDTH)):
        worker.push(item)
    worker.reset()
    small = [Frame(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), bool), tag="small")]
    assert kept(run(worker, small)) == ["small"]


def test_flush_ends_the_stream(pan: Callable[..., Pictures]) -> None:
    worker = preparer()
    clip = pan(7, HEIGHT, WIDTH)
    first = run(worker, frames(clip))
    # Another stream: a cut against the first one's last frame would show in its first frame.
    second = run(worker, frames([1 - image for image in clip]))
    again = run(worker, frames(clip))
    assert kept(first) == kept(second) == list(range(7))
    assert not any(frame.cut for window in second + again for frame in window.frames)
    for a, b in zip(first, again, strict=True):
        assert all(np.array_equal(a.crops[0].arrays[name], b.crops[0].arrays[name]) for name in a.crops[0].arrays)


@pytest.mark.parametrize(
    ("image", "mask", "reason"),
    [
        (np.zeros((8, 9, 3), np.uint8), np.zeros((9, 8), bool), "mask is 8x9, expected the frame's 9x8"),
        (np.zeros((8, 9, 3), np.float32), np.zeros((8, 9), bool), "frame is float32"),
        (np.zeros((8, 9), np.uint8), np.zeros((8, 9), bool), r"of shape \(8, 9\), expected uint8 or uint16"),
        (np.zeros((8, 9, 4), np.uint8), np.zeros((8, 9), bool), "expected uint8 or uint16"),
        (np.zeros((8, 9, 3), np.uint8), np.zeros((8, 9), np.uint8), "mask is uint8, expected bool"),
    ],
)
def test_refuses_what_is_no_frame(image: NDArray[Any], mask: NDArray[Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        preparer().push(Frame(image, mask))


def test_refuses_another_size_also_right_after_a_cut(pan: Callable[..., Pictures]) -> None:
    worker = preparer()
    first, *_, last = frames(pan(3, HEIGHT, WIDTH))
    worker.push(first)
    worker.push(Frame(last.image, last.hole, cut=True))
    with pytest.raises(InputError, match=f"frame is 8x8, expected {WIDTH}x{HEIGHT} as before"):
        worker.push(Frame(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), bool)))
    worker.push(first)  # the stream goes on


def test_the_default_estimator_is_dense_inverse_search(pan: Callable[..., Pictures]) -> None:
    items = frames(pan(7, HEIGHT, WIDTH))
    default, given = run(preparer(), items), run(preparer(estimator=DisFlow()), items)
    for name in ("flow_forward", "flow_backward"):
        assert np.array_equal(default[0].crops[0].arrays[name], given[0].crops[0].arrays[name])


def test_boxes_of_far_holes() -> None:
    mask = np.zeros((240, 432), bool)
    mask[20:30, 20:40] = mask[200:210, 380:400] = True
    items = [Frame(np.zeros((240, 432, 3), np.uint8), mask, tag=t) for t in range(3)]
    (window,) = run(preparer(estimator=CountingFlow()), items)
    boxes = [job.crop.box for job in window.crops]
    assert len(boxes) == 2
    assert boxes[0].union(Box(20, 20, 20, 10)) == boxes[0]
    assert boxes[1].union(Box(380, 200, 20, 10)) == boxes[1]
