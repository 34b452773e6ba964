from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.frame import Frame, Mask
from ptfan.engine.prepare.crop import CropRules
from ptfan.engine.prepare.flow import FlowPair, smooth_completion, smooth_flows
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.prepare.preparer import Preparer, PreparerSettings
from ptfan.training.data.arriving import arriving_inputs

Inputs = dict[str, NDArray[np.float32]]
FRAMES = 7


@pytest.fixture
def images() -> list[NDArray[np.float32]]:
    """Return a smooth pattern that moves."""
    y, x = np.mgrid[0:40, 0:56]
    pictures = [0.5 + 0.4 * np.sin((x + 2 * t) / 6) * np.cos((y - t) / 7) for t in range(FRAMES)]
    return [np.dstack([picture] * 3).astype(np.float32) for picture in pictures]


@pytest.fixture
def holes() -> list[Mask]:
    """Return a box that moves the other way."""
    masks = [np.zeros((40, 56), bool) for _ in range(FRAMES)]
    for t, mask in enumerate(masks):
        mask[12:26, 30 - 2 * t : 44 - 2 * t] = True
    return masks


def inputs_of(images: Sequence[NDArray[np.float32]], holes: Sequence[Mask], shown: range, lookahead: int) -> Inputs:
    smooth = smooth_flows(images, holes)

    def flows(first: int, end: int) -> list[FlowPair]:
        return smooth_completion(smooth[first : end - 1], holes[first:end])

    return arriving_inputs(images, holes, flows, shown, "propagated", lookahead)


def test_who_waits_for_all_frames_sees_what_a_window_sees(images: list[NDArray[np.float32]], holes: list[Mask]) -> None:
    window = clip_inputs(images, holes, smooth_completion(smooth_flows(images, holes), holes), "propagated")
    waited = inputs_of(images, holes, range(FRAMES), FRAMES)
    assert waited.keys() == window.keys()
    for name, array in waited.items():
        assert np.array_equal(array, window[name]), name


@pytest.mark.parametrize("lookahead", [0, 1, 3])
def test_a_frame_knows_nothing_of_frames_beyond_its_lookahead(
    images: list[NDArray[np.float32]], holes: list[Mask], lookahead: int
) -> None:
    """The slow reference: a clip that ends with the last frame that may be known."""
    whole = inputs_of(images, holes, range(FRAMES), lookahead)
    for t in range(FRAMES - lookahead):
        end = t + lookahead + 1
        cut = inputs_of(images[:end], holes[:end], range(t, t + 1), lookahead)
        for name, array in cut.items():
            assert np.array_equal(array[0], whole[name][t]), (name, t)


def test_only_the_frames_that_are_shown_are_returned(images: list[NDArray[np.float32]], holes: list[Mask]) -> None:
    whole, part = (inputs_of(images, holes, shown, 1) for shown in (range(FRAMES), range(2, 5)))
    for name, array in part.items():
        assert np.array_equal(array, whole[name][2:5]), name


@pytest.mark.parametrize(("lookahead", "window", "lead"), [(0, FRAMES, 1), (0, 2, None), (2, 4, 1), (2, FRAMES, 1)])
def test_a_stream_s_preparation_shows_the_network_the_same(
    images: list[NDArray[np.float32]],
    holes: list[Mask],
    lookahead: int,
    window: int,
    lead: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ptfan.engine.prepare.preparer.TexturedColours", lambda colours: colours)
    pictures = [np.rint(255 * image).astype(np.uint8) for image in images]
    expected = inputs_of([picture / np.float32(255) for picture in pictures], holes, range(FRAMES), lookahead)
    preparer = Preparer(
        PreparerSettings(
            window=window,
            stride=1,
            ahead=lookahead,
            lead=lead,
            rules=CropRules(whole_frame=True),
            fill="propagated",
            scene_cuts=False,
        )
    )
    frames = [Frame(picture, hole) for picture, hole in zip(pictures, holes, strict=True)]
    windows = [window for frame in frames for window in preparer.push(frame)] + preparer.flush()
    prepared = 0
    for shown in windows:
        (crop,) = shown.crops
        for place in shown.keep:
            for name, array in expected.items():
                assert np.allclose(crop.arrays[name][place - crop.first], array[prepared], atol=1e-6), (name, prepared)
            prepared += 1
    assert prepared == FRAMES
