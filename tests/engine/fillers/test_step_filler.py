"""Step models in the inpainter: what comes out is what the endless clip gives, whatever windows and crops do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError
from ptfan.engine.fillers.step_pool import StepPool
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import Inpainter, InpaintSettings

Pictures = list[NDArray[np.float32]]
HEIGHT, WIDTH = 32, 48
WHOLE = InpaintSettings(crop=False, flow_completion="smooth", scene_cuts=False)


def box(x: int = 16, y: int = 8, width: int = 16, height: int = 16) -> NDArray[np.bool_]:
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[y : y + height, x : x + width] = True
    return hole


def frames_of(pictures: Pictures, holes: list[NDArray[np.bool_]], cuts: tuple[int, ...] = ()) -> list[Frame]:
    images = [np.rint(picture * 255).astype(np.uint8) for picture in pictures]
    return [Frame(image, hole, tag=t, cut=t in cuts) for t, (image, hole) in enumerate(zip(images, holes, strict=True))]


def run(inpainter: Inpainter, frames: list[Frame]) -> list[Frame]:
    done = [item for frame in frames for item in inpainter.push(frame)] + inpainter.flush()
    assert [item.tag for item in done] == list(range(len(frames)))
    return done


def shown(frame: Frame) -> NDArray[np.float32]:
    """Return what the fake network sees of a frame: zero in the hole."""
    return np.where(frame.hole[..., None], 0, frame.image).astype(np.float32) / np.float32(255)


def check(done: list[Frame], frames: list[Frame], expected: Callable[..., Any], scenes: list[range]) -> None:
    for scene in scenes:
        pictures = [shown(frames[t]) for t in scene]
        for place, t in enumerate(scene):
            fill = np.where(frames[t].hole[..., None], np.rint(expected(pictures, place) * 255), frames[t].image)
            np.testing.assert_allclose(done[t].composite().astype(float), fill, atol=1)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_every_frame_is_answered_as_in_the_endless_clip(
    pan: Callable[..., Pictures], step_runner: Any, count: int
) -> None:
    frames = frames_of(pan(count, HEIGHT, WIDTH), [box()] * count)
    with Inpainter(runner=step_runner(), settings=WHOLE) as inpainter:
        check(run(inpainter, frames), frames, step_runner.expected, [range(count)])
        # and once more: nothing is left of the stream before
        check(run(inpainter, frames), frames, step_runner.expected, [range(count)])


def test_each_frame_is_shown_once(pan: Callable[..., Pictures], step_runner: Any) -> None:
    frames, runner = frames_of(pan(20, HEIGHT, WIDTH), [box()] * 20), step_runner()
    with Inpainter(runner=runner, settings=WHOLE) as inpainter:
        run(inpainter, frames)
    assert len(runner.calls) == 20 + 1  # and one to flush


def test_nothing_crosses_a_cut(pan: Callable[..., Pictures], step_runner: Any) -> None:
    frames = frames_of(pan(15, HEIGHT, WIDTH), [box()] * 15, cuts=(8,))
    with Inpainter(runner=step_runner(), settings=WHOLE) as inpainter:
        check(run(inpainter, frames), frames, step_runner.expected, [range(8), range(8, 15)])


def test_a_crop_that_moves_leaves_no_seam(pan: Callable[..., Pictures], step_runner: Any) -> None:
    """A hole that wanders through a wide frame: crops follow it, and what they show is the frame's own."""
    pictures = [np.hstack([picture] * 3) for picture in pan(30, HEIGHT, WIDTH)]
    holes = []
    for t in range(30):
        hole = np.zeros((HEIGHT, 3 * WIDTH), bool)
        hole[10:20, 4 * t : 4 * t + 12] = True
        holes.append(hole)
    frames = frames_of(pictures, holes)
    settings = InpaintSettings(flow_completion="smooth", scene_cuts=False)
    runner = step_runner(window=8, stride=4)
    with Inpainter(runner=runner, settings=settings) as inpainter:
        done = run(inpainter, frames)
    assert len({call["frames"].shape for call in runner.calls} | {len(runner.calls)}) > 1
    assert len(runner.calls) > 31  # crops were changed, and shown again what they had to know
    check(done, frames, step_runner.expected, [range(30)])


def test_frames_without_a_hole_pass_and_stay_in_order(pan: Callable[..., Pictures], step_runner: Any) -> None:
    none = np.zeros((HEIGHT, WIDTH), bool)
    holes = [none] * 9 + [box()] * 7 + [none] * 12 + [box()] * 4
    frames = frames_of(pan(32, HEIGHT, WIDTH), holes)
    with Inpainter(runner=step_runner(), settings=WHOLE) as inpainter:
        done = run(inpainter, frames)
    check(done, frames, step_runner.expected, [range(32)])
    assert all(not frame.patches for frame in done[:9])


def test_a_live_model_gives_back_the_very_frame(pan: Callable[..., Pictures], step_runner: Any) -> None:
    runner = step_runner(window=5, stride=1, frames_ahead=0, lead=1, lookahead=0)
    runner.run_into = lambda inputs, into: {"fill": inputs["frames"] + 0.5}
    frames = frames_of(pan(9, HEIGHT, WIDTH), [box()] * 9)
    with Inpainter(runner=runner, settings=WHOLE) as inpainter:
        assert inpainter.spec.delay == 0
        for t, frame in enumerate(frames):
            assert [done.tag for done in inpainter.push(frame)] == [t]
        assert inpainter.flush() == []


def test_a_reset_forgets_what_waits(pan: Callable[..., Pictures], step_runner: Any) -> None:
    frames = frames_of(pan(12, HEIGHT, WIDTH), [box()] * 12)
    with Inpainter(runner=step_runner(), settings=WHOLE) as inpainter:
        for frame in frames[:10]:
            inpainter.push(frame)
        inpainter.reset()
        check(run(inpainter, frames[:5]), frames, step_runner.expected, [range(5)])


def out_of_memory(inputs: Any, into: Any) -> Any:
    raise BackendError("out of memory")


def test_a_stream_that_fails_while_its_hole_goes_gives_its_slot_back(
    pan: Callable[..., Pictures], step_runner: Any
) -> None:
    """Else the others of the pool would wait for it for ever."""
    runner = step_runner(window=5, stride=1, frames_ahead=0, lead=1)
    pool = StepPool(runner, streams=2)
    *shown, last = frames_of(pan(5, HEIGHT, WIDTH), [box()] * 4 + [np.zeros((HEIGHT, WIDTH), bool)])
    with Inpainter(pool=pool, settings=WHOLE) as inpainter:
        for frame in shown:
            inpainter.push(frame)
        runner.run_into = out_of_memory
        with pytest.raises(BackendError, match="out of memory"):
            inpainter.push(last)
    assert not pool._batches


def test_a_stream_whose_first_step_fails_can_be_ended(pan: Callable[..., Pictures], step_runner: Any) -> None:
    runner = step_runner(window=5, stride=1, frames_ahead=0, lead=1)
    runner.run_into = out_of_memory
    with Inpainter(runner=runner, settings=WHOLE) as inpainter:
        (frame,) = frames_of(pan(1, HEIGHT, WIDTH), [box()])
        with pytest.raises(BackendError, match="out of memory"):
            inpainter.push(frame)
        inpainter.flush()


def test_memory_does_not_grow_with_the_stream(pan: Callable[..., Pictures], step_runner: Any) -> None:
    frames = frames_of(pan(60, HEIGHT, WIDTH), [box()] * 60)
    with Inpainter(runner=step_runner(), settings=WHOLE) as inpainter:
        most = 0
        for frame in frames:
            inpainter.push(frame)
            most = max(most, len(inpainter._filler._waiting))  # type: ignore[attr-defined]
        assert most <= inpainter.spec.delay + 1
