from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, InputNotFoundError, ModelError
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import Inpainter, InpaintSettings, crop_rules, window_and_stride
from ptfan.engine.spec import ModelSpec, StateSpec

Pictures = list[NDArray[np.float32]]
Runners = Callable[..., Any]
HEIGHT, WIDTH = 48, 64
GREY = 0.25


def grey(inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    return np.full(inputs["frames"].shape, GREY, np.float32)


def box(height: int, width: int, top: int, left: int, size: int = 10) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), bool)
    mask[top : top + size, left : left + size] = True
    return mask


def frames(clip: Pictures, masks: list[NDArray[np.bool_]] | None = None, dtype: Any = np.uint8) -> list[Frame]:
    height, width = clip[0].shape[:2]
    masks = masks or [box(height, width, 20, 24)] * len(clip)
    peak = np.iinfo(dtype).max
    pairs = enumerate(zip(clip, masks, strict=True))
    return [Frame(np.rint(image * peak).astype(dtype), mask, tag=("tag", t)) for t, (image, mask) in pairs]


def run(inpainter: Inpainter, items: list[Frame]) -> list[Frame]:
    return [done for item in items for done in inpainter.push(item)] + inpainter.flush()


@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 20])
def test_frames_leave_in_order_and_once_with_all_they_came_with(
    pan: Callable[..., Pictures], runner: Runners, count: int
) -> None:
    items = frames(pan(count, HEIGHT, WIDTH))
    done = run(Inpainter(runner=runner()), items)
    assert [frame.tag for frame in done] == [frame.tag for frame in items]
    for before, after in zip(items, done, strict=True):
        assert after.image is before.image
        assert after.hole is before.hole
        assert len(after.patches) == 1


def test_push_gives_frames_before_the_end(pan: Callable[..., Pictures], runner: Runners) -> None:
    inpainter = Inpainter(runner=runner())
    given = [len(inpainter.push(frame)) for frame in frames(pan(14, HEIGHT, WIDTH))]
    assert given == [0, 0, 0, 0, 0, 5, 0, 0, 3, 0, 0, 3, 0, 0]
    assert len(inpainter.flush()) == 3


def test_the_hole_is_filled_with_the_network_s_answer_and_the_rest_stays(
    pan: Callable[..., Pictures], runner: Runners
) -> None:
    for dtype in (np.uint8, np.uint16):
        items = frames(pan(8, HEIGHT, WIDTH), dtype=dtype)
        for before, after in zip(items, run(Inpainter(runner=runner(grey)), items), strict=True):
            picture = after.composite()
            assert picture.dtype == dtype
            assert (picture[before.hole] == np.rint(GREY * np.iinfo(dtype).max)).all()
            assert np.array_equal(picture[~before.hole], before.image[~before.hole])


def test_without_a_hole_there_is_nothing_to_do(pan: Callable[..., Pictures], runner: Runners) -> None:
    network = runner()
    items = frames(pan(9, HEIGHT, WIDTH), [np.zeros((HEIGHT, WIDTH), bool)] * 9)
    done = run(Inpainter(runner=network), items)
    assert network.calls == []
    assert all(after.patches == () and after.image is before.image for before, after in zip(items, done, strict=True))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    size=st.sampled_from([(30, 41), (24, 32), (64, 40)]),
    count=st.integers(1, 8),
    choice=st.sampled_from(["propagated", "zero"]),
    working=st.sampled_from(["native", (16, 16)]),
    crop=st.booleans(),
)
def test_what_stands_in_the_hole_has_no_influence(
    runner: Runners, seed: int, dtype: Any, size: tuple[int, int], count: int, choice: str, working: Any, crop: bool
) -> None:
    rng = np.random.default_rng(seed)
    peak = int(np.iinfo(dtype).max)
    results = []
    images = rng.integers(0, peak, (count, *size, 3), endpoint=True).astype(dtype)
    corners = [[int(value) for value in rng.integers(0, 20, 2)] for _ in range(count)]
    masks = [box(size[0], size[1], top, left, int(rng.integers(1, 12))) for top, left in corners]
    for content in (None, rng.integers(0, peak, 3), peak * rng.integers(0, 2, (count, *size, 3))):
        inpainter = Inpainter(runner=runner(fill=choice), settings=InpaintSettings(size=working, crop=crop))
        items = []
        for t, mask in enumerate(masks):
            image = images[t].copy()
            if content is not None:
                image[mask] = content if content.ndim == 1 else content[t][mask]
            items.append(Frame(image, mask))
        results.append([frame.composite() for frame in run(inpainter, items)])
    for a, b, c in zip(*results, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c)


def test_nothing_crosses_a_cut(pan: Callable[..., Pictures], runner: Runners) -> None:
    scenes = [pan(10, HEIGHT, WIDTH, seed=1), [image * 0.3 for image in pan(8, HEIGHT, WIDTH, seed=2)]]
    together = run(Inpainter(runner=runner()), frames(scenes[0] + scenes[1]))
    apart = [frame for scene in scenes for frame in run(Inpainter(runner=runner()), frames(scene))]
    for a, b in zip(together, apart, strict=True):
        assert np.array_equal(a.composite(), b.composite())


def test_a_moving_hole_is_filled_everywhere(texture: Callable[..., NDArray[np.float32]], runner: Runners) -> None:
    masks = [box(80, 240, 30 + t, 8 * t, 20) for t in range(25)]
    items = frames([texture(80, 240)] * 25, masks)
    for before, after in zip(items, run(Inpainter(runner=runner(grey)), items), strict=True):
        picture = after.composite()
        assert (picture[before.hole] == round(GREY * 255)).all()
        assert np.array_equal(picture[~before.hole], before.image[~before.hole])


def test_far_holes_are_two_crops_and_two_patches(texture: Callable[..., NDArray[np.float32]], runner: Runners) -> None:
    network = runner(grey)
    mask = box(240, 432, 20, 20) | box(240, 432, 210, 400)
    done = run(Inpainter(runner=network), frames([texture(240, 432)] * 4, [mask] * 4))
    assert len(network.calls) == 2
    for frame in done:
        assert [(patch.box.width, patch.box.height) for patch in frame.patches] == [(10, 10), (10, 10)]
        assert (frame.composite()[mask] == round(GREY * 255)).all()


def test_a_large_frame_is_shown_small_and_filled_at_its_own_size(
    texture: Callable[..., NDArray[np.float32]], runner: Runners
) -> None:
    network = runner(working_size=(64, 40))
    mask = box(200, 320, 60, 100, 60)
    items = frames([texture(200, 320)] * 3, [mask] * 3)
    done = run(Inpainter(runner=network, settings=InpaintSettings(crop=False)), items)
    assert network.calls[0]["frames"].shape == (3, 3, 40, 64)
    for before, after in zip(items, done, strict=True):
        picture = after.composite()
        assert after.patches[0].pixels.shape == (60, 60, 3)
        assert np.array_equal(picture[~mask], before.image[~mask])
        assert np.ptp(picture[mask].astype(int)) > 0


def test_what_the_network_says_outside_the_hole_has_no_influence(
    texture: Callable[..., NDArray[np.float32]], runner: Runners
) -> None:
    def black_outside(inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        return inputs["frames"] * inputs["hole"]

    items = frames([texture(200, 320)] * 3, [box(200, 320, 60, 100, 60)] * 3)
    choice = InpaintSettings(crop=False, size=(64, 40))
    plain, black = (
        run(Inpainter(runner=network, settings=choice), items) for network in (runner(), runner(black_outside))
    )
    for a, b in zip(plain, black, strict=True):
        assert np.array_equal(a.composite(), b.composite())


def test_a_short_window_is_padded_for_a_network_of_one_length(pan: Callable[..., Pictures], runner: Runners) -> None:
    network = runner(fixed_window=6)
    done = run(Inpainter(runner=network), frames(pan(4, HEIGHT, WIDTH)))
    assert len(done) == 4
    (call,) = network.calls
    for name, array in call.items():
        assert array.shape[0] == 6
        if name.startswith(("flow", "validity")):
            assert not array[4:].any()
        else:
            assert np.array_equal(array[4], array[3])
            assert np.array_equal(array[5], array[3])
    free = runner()
    run(Inpainter(runner=free), frames(pan(4, HEIGHT, WIDTH)))
    for name, array in free.calls[0].items():
        assert np.array_equal(array, call[name][:4])


def test_a_network_of_one_size_gets_that_size(pan: Callable[..., Pictures], runner: Runners) -> None:
    network = runner(grey, fixed_size=(80, 56))
    items = frames(pan(3, HEIGHT, WIDTH))
    done = run(Inpainter(runner=network), items)
    assert network.calls[0]["frames"].shape == (3, 3, 56, 80)
    assert (done[0].composite()[items[0].hole] == round(GREY * 255)).all()


def test_reset_drops_what_waits(pan: Callable[..., Pictures], runner: Runners) -> None:
    inpainter = Inpainter(runner=runner())
    clip = frames(pan(10, HEIGHT, WIDTH))
    expected = [frame.composite() for frame in run(inpainter, clip[5:])]
    for frame in clip[:5]:
        inpainter.push(frame)
    inpainter.reset()
    again = run(inpainter, clip[5:])
    assert [frame.tag for frame in again] == [frame.tag for frame in clip[5:]]
    assert all(np.array_equal(frame.composite(), picture) for frame, picture in zip(again, expected, strict=True))


def test_sizes_that_do_not_fit_are_refused(pan: Callable[..., Pictures], runner: Runners) -> None:
    inpainter = Inpainter(runner=runner())
    (frame,) = frames(pan(1, HEIGHT, WIDTH))
    inpainter.push(frame)
    with pytest.raises(InputError, match="frame is 8x8"):
        inpainter.push(Frame(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), bool)))
    with pytest.raises(InputError, match="mask is 64x47"):
        inpainter.push(replace(frame, hole=frame.hole[1:]))


def test_the_two_halves_of_a_push(pan: Callable[..., Pictures], runner: Runners) -> None:
    items = frames(pan(9, HEIGHT, WIDTH))
    whole = run(Inpainter(runner=runner()), items)
    halves = Inpainter(runner=runner())
    windows = [window for item in items for window in halves.preparer.push(item)] + halves.preparer.flush()
    done = [frame for window in windows for frame in halves.infer(window)]
    assert all(np.array_equal(a.composite(), b.composite()) for a, b in zip(whole, done, strict=True))


def test_a_runner_that_was_given_is_not_closed(runner: Runners) -> None:
    network = runner()
    with Inpainter(runner=network) as inpainter:
        assert inpainter.spec is network.spec
    assert not network.closed


def test_what_was_opened_is_closed_when_the_rest_fails(runner: Runners, monkeypatch: pytest.MonkeyPatch) -> None:
    network = runner()
    monkeypatch.setattr("ptfan.engine.inpainter.open_model", lambda *given, **options: network)
    with pytest.raises(InputError, match="stride is 40"):
        Inpainter(settings=InpaintSettings(stride=40))
    assert network.closed


def test_a_closed_one_is_used_no_more(runner: Runners, pan: Callable[..., Pictures]) -> None:
    (item,) = frames(pan(1, HEIGHT, WIDTH))
    inpainter = Inpainter(runner=runner())
    inpainter.close()
    with pytest.raises(InputError, match="inpainter is closed; open another one"):
        inpainter.push(item)
    with pytest.raises(InputError, match="inpainter is closed"):
        inpainter.flush()


def test_a_second_thread_is_refused_and_does_no_harm(runner: Runners, pan: Callable[..., Pictures]) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def slow(inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        at_work.set()
        assert go_on.wait(10)
        return grey(inputs)

    items = frames(pan(4, HEIGHT, WIDTH))
    inpainter = Inpainter(runner=runner(slow))
    for item in items[:3]:
        inpainter.push(item)
    with ThreadPoolExecutor(1) as thread:
        flushed = thread.submit(inpainter.flush)
        assert at_work.wait(10)
        for use in (inpainter.flush, partial(inpainter.push, items[3])):
            with pytest.raises(InputError, match="inpainter is in use in another thread just now"):
                use()
        go_on.set()
        assert len(flushed.result(10)) == 3
    assert inpainter.push(items[3]) == []
    assert len(inpainter.flush()) == 1


def test_a_model_that_fills_no_holes_is_refused(runner: Runners) -> None:
    with pytest.raises(ModelError, match="flow form, expected clip or step"):
        Inpainter(runner=runner(form="flow"))


def test_a_runner_that_knows_no_steps_is_refused(runner: Runners) -> None:
    carried = (StateSpec(name="x", channels=1, size=1, delays=(1,)),)
    with pytest.raises(ModelError, match="model fake: fake cannot run the step form"):
        Inpainter(runner=runner(form="step", carried=carried))


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(InputNotFoundError, match=r"nowhere\.onnx is neither a file nor a model"):
        Inpainter("nowhere.onnx")


SPEC = ModelSpec(name="m", window=15, stride=9, lookahead=3)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, (15, 9)),
        ({"window": 5}, (5, 3)),
        ({"window": 1}, (1, 1)),
        ({"stride": 4}, (15, 4)),
        ({"window": 20}, (20, 12)),
    ],
)
def test_window_and_stride(choice: dict[str, Any], expected: tuple[int, int]) -> None:
    assert window_and_stride(SPEC, InpaintSettings(**choice)) == expected


@pytest.mark.parametrize("size", ["nativ", 5, (320,), (320.0, 240.0), [320, 240]])
def test_a_working_size_that_is_none_is_refused(size: Any) -> None:
    with pytest.raises(InputError, match=r"working size is .*, expected \(width, height\), 'native' or None"):
        InpaintSettings(size=size)


@pytest.mark.parametrize("wrong", [{"threads": "4"}, {"threads": 1.5}, {"gpu": -1}, {"window": 2.5}, {"stride": 0}])
def test_settings_that_count_are_whole_numbers(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(InputError, match=rf"^{name} is {wrong[name]!r}, expected a whole number, \d or more$"):
        InpaintSettings(**wrong)


def test_settings_take_numbers_of_numpy() -> None:
    assert InpaintSettings(size=(np.int64(64), np.int32(40)), threads=np.int64(1)).size == (64, 40)


def test_window_and_stride_that_do_not_fit() -> None:
    fixed = replace(SPEC, fixed_window=8)
    assert window_and_stride(fixed, InpaintSettings()) == (8, 5)
    with pytest.raises(ModelError, match="takes windows of 8 frames, 9 are asked for"):
        window_and_stride(fixed, InpaintSettings(window=9))
    with pytest.raises(InputError, match="stride is 16"):
        window_and_stride(SPEC, InpaintSettings(stride=16))


def test_crop_rules() -> None:
    assert crop_rules(SPEC, InpaintSettings()).working_size == (432, 240)
    assert crop_rules(SPEC, InpaintSettings(size=(320, 180))).working_size == (320, 180)
    assert crop_rules(SPEC, InpaintSettings(size="native")).working_size is None
    assert crop_rules(SPEC, InpaintSettings(crop=False)).whole_frame
    fixed = replace(SPEC, fixed_size=(432, 240))
    assert crop_rules(fixed, InpaintSettings()).fixed_size == (432, 240)
    assert crop_rules(fixed, InpaintSettings(size=(432, 240))).fixed_size == (432, 240)
    sizes: list[tuple[Any, str]] = [((320, 184), "320x184"), ("native", "native")]
    for size, asked in sizes:
        with pytest.raises(ModelError, match=f"432x240 only, {asked} is asked for"):
            crop_rules(fixed, InpaintSettings(size=size))


@pytest.mark.parametrize("choice", [{"size": (8, 100)}, {"window": 0}, {"stride": 0}, {"threads": -1}])
def test_settings_out_of_range(choice: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected"):
        InpaintSettings(**choice)
