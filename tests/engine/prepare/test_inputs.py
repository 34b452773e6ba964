from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.prepare.flow import FlowPair
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.prepare.propagation import propagate
from ptfan.engine.spec import CLIP_INPUTS, Fill

Clip = tuple[list[NDArray[np.float32]], list[NDArray[np.bool_]], list[FlowPair]]
FRAMES, HEIGHT, WIDTH = 4, 9, 11
CHANNELS = {"frames": 3, "flow_forward": 2, "flow_backward": 2}


@pytest.fixture
def clip() -> Clip:
    rng = np.random.default_rng(0)
    images = [rng.random((HEIGHT, WIDTH, 3), np.float32) for _ in range(FRAMES)]
    holes = [rng.random((HEIGHT, WIDTH)) < 0.3 for _ in range(FRAMES)]
    flows = [
        FlowPair(*rng.normal(0, 1, (2, HEIGHT, WIDTH, 2)).astype(np.float32), *(rng.random((2, HEIGHT, WIDTH)) < 0.7))
        for _ in range(FRAMES - 1)
    ]
    return images, holes, flows


@pytest.mark.parametrize("fill", ["zero", "propagated"])
def test_names_shapes_and_types_are_the_spec_s(clip: Clip, fill: Fill) -> None:
    arrays = clip_inputs(*clip, fill=fill)
    assert set(arrays) == set(CLIP_INPUTS)
    for name, array in arrays.items():
        assert array.shape == (FRAMES, CHANNELS.get(name, 1), HEIGHT, WIDTH)
        assert array.dtype == np.float32
        assert array.flags.c_contiguous


def test_zero_leaves_nothing_in_the_hole(clip: Clip) -> None:
    images, holes, _ = clip
    arrays = clip_inputs(*clip, fill="zero")
    for t in range(FRAMES):
        assert not arrays["frames"][t][:, holes[t]].any()
        assert np.array_equal(arrays["frames"][t][:, ~holes[t]].T, images[t][~holes[t]])
    assert not arrays["guidance"].any()


def test_propagated_brings_colours_and_their_confidence(clip: Clip) -> None:
    arrays = clip_inputs(*clip, fill="propagated")
    filled, confidence = propagate(*clip)
    for t in range(FRAMES):
        assert np.array_equal(arrays["frames"][t].transpose(1, 2, 0), filled[t])
        assert np.array_equal(arrays["guidance"][t, 0], confidence[t])
        assert np.array_equal(arrays["hole"][t, 0], clip[1][t])


@pytest.mark.parametrize("fill", ["zero", "propagated"])
def test_entries_belong_to_the_frame_they_start_from(clip: Clip, fill: Fill) -> None:
    flows = clip[2]
    arrays = clip_inputs(*clip, fill=fill)
    for t, pair in enumerate(flows):
        assert np.array_equal(arrays["flow_forward"][t].transpose(1, 2, 0), pair.forward)
        assert np.array_equal(arrays["flow_backward"][t + 1].transpose(1, 2, 0), pair.backward)
        assert np.array_equal(arrays["validity_forward"][t, 0], pair.forward_validity)
        assert np.array_equal(arrays["validity_backward"][t + 1, 0], pair.backward_validity)
    for name in ("forward", "backward"):
        end = -1 if name == "forward" else 0
        assert not arrays[f"flow_{name}"][end].any()
        assert not arrays[f"validity_{name}"][end].any()


@pytest.mark.parametrize("fill", ["zero", "propagated"])
def test_the_hole_s_content_has_no_influence(clip: Clip, fill: Fill) -> None:
    images, holes, flows = clip
    other = [np.where(hole[..., None], np.float32(np.nan), image) for image, hole in zip(images, holes, strict=True)]
    arrays, again = clip_inputs(images, holes, flows, fill), clip_inputs(other, holes, flows, fill)
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)


@pytest.mark.parametrize("fill", ["zero", "propagated"])
@pytest.mark.parametrize("wanted", [1, 2, FRAMES])
def test_frames_that_nobody_asks_for_are_still_looked_at(clip: Clip, fill: Fill, wanted: int) -> None:
    whole, part = clip_inputs(*clip, fill=fill), clip_inputs(*clip, fill=fill, wanted=wanted)
    for name, array in part.items():
        assert len(array) == wanted
        told = wanted - 1 if name in ("flow_forward", "validity_forward") else wanted  # the last one points beyond
        assert np.array_equal(array[:told], whole[name][:told])


def test_colours_are_completed(clip: Clip) -> None:
    asked: list[int] = []

    def darker(pictures: Any, confidences: Any, holes: Any) -> Any:
        asked.append(len(pictures))
        assert all(np.array_equal(plane == 1, ~mask) for plane, mask in zip(confidences, holes, strict=True))
        return [np.where(hole[..., None], np.float32(0.5), 1) * one for one, hole in zip(pictures, holes, strict=True)]

    smooth, dark = clip_inputs(*clip, "propagated"), clip_inputs(*clip, "propagated", colours=darker)
    inside = (smooth["hole"] > 0).repeat(3, axis=1)
    assert dark["frames"][inside].mean() < 0.9 * smooth["frames"][inside].mean()
    assert np.array_equal(dark["frames"][~inside], smooth["frames"][~inside])
    assert all(np.array_equal(dark[name], smooth[name]) for name in dark if name != "frames")
    clip_inputs(*clip, "zero", colours=darker)
    assert asked == [FRAMES]  # a network that is shown zeros is shown zeros


def test_one_frame(clip: Clip) -> None:
    arrays = clip_inputs(clip[0][:1], clip[1][:1], [], "propagated")
    assert arrays["frames"].shape == (1, 3, HEIGHT, WIDTH)
    assert not arrays["validity_forward"].any()
