from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.errors import ModelError
from ptfan.engine.inpainter import Inpainter
from ptfan.engine.models import FLOW_MODEL, flow_model, shipped_models
from ptfan.engine.prepare.completion import dilate
from ptfan.engine.prepare.flow import CONTAMINATED, estimate_flows
from ptfan.engine.prepare.flow_completion import LearnedFlow, completion_inputs
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.runner import Arrays
from tests.engine.fake_helper import FakeHelper

HEIGHT, WIDTH = 64, 96


def add_constants(inputs: Arrays) -> dict[str, NDArray[Any]]:
    """Return other flow for unknown pixels, a constant more along each axis, and other constants as their doubt."""
    unknown = 1 - inputs["known"]
    added = np.array([1.0, 2.0, 3.0, 4.0], np.float32)[:, None, None]
    doubt = np.array([0.5, 0.25], np.float32)[:, None, None]
    return {"completed": inputs["flow"] + added * unknown, "spread": doubt * unknown}


def flow_network() -> FakeHelper:
    return FakeHelper("flow", add_constants)


def hole(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), bool)
    mask[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = True
    return mask


def smooth(frames: int, height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [tuple(rng.normal(0, 1, (2, height, width, 2)).astype(np.float32)) for _ in range(frames - 1)]


def test_the_answer_is_enlarged_into_the_holes() -> None:
    network, flows, holes = flow_network(), smooth(3), [hole()] * 3
    pairs = LearnedFlow(network)(flows, holes)
    unknown = dilate(hole(), CONTAMINATED)
    deep = hole()
    deep[: HEIGHT // 4 + 8] = deep[3 * HEIGHT // 4 - 8 :] = False
    deep[:, : WIDTH // 4 + 8] = deep[:, 3 * WIDTH // 4 - 8 :] = False
    assert len(pairs) == 2
    for pair, (forward, backward) in zip(pairs, flows, strict=True):
        assert np.array_equal(pair.forward[~unknown], forward[~unknown])
        assert np.array_equal(pair.backward[~unknown], backward[~unknown])
        # Four pixels of the frame for every one of the network's.
        np.testing.assert_allclose((pair.forward - forward)[deep], [[4.0, 8.0]] * deep.sum(), atol=1e-5)
        np.testing.assert_allclose((pair.backward - backward)[deep], [[12.0, 16.0]] * deep.sum(), atol=1e-5)
        assert pair.forward_doubt is not None
        assert pair.backward_doubt is not None
        np.testing.assert_allclose(pair.forward_doubt[deep], 2.0, atol=1e-5)
        np.testing.assert_allclose(pair.backward_doubt[deep], 1.0, atol=1e-5)
        assert not pair.forward_doubt[~unknown].any()


def test_what_points_out_of_the_clip_is_the_other_direction_negated() -> None:
    flows = smooth(4)
    flow, known = completion_inputs(flows, [hole()] * 4)
    assert flow.shape == (4, 4, HEIGHT // 4, WIDTH // 4)
    assert known.shape == (4, 1, HEIGHT // 4, WIDTH // 4)
    np.testing.assert_allclose(flow[0, 2:], -flow[0, :2], atol=1e-6)
    np.testing.assert_allclose(flow[3, :2], -flow[3, 2:], atol=1e-6)
    blocks = flows[1][0].reshape(HEIGHT // 4, 4, WIDTH // 4, 4, 2).mean((1, 3)).transpose(2, 0, 1) / 4
    np.testing.assert_allclose(flow[1, :2], blocks, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(16, 90), st.integers(16, 90), st.integers(2, 4))
def test_any_size(height: int, width: int, frames: int) -> None:
    network, mask = flow_network(), hole(height, width)
    pairs = LearnedFlow(network)(smooth(frames, height, width), [mask] * frames)
    shape = network.calls[0]["flow"].shape
    assert shape[0] == frames
    assert all(side % 4 == 0 for side in shape[2:])
    assert all(pair.forward.shape == (height, width, 2) and np.isfinite(pair.forward).all() for pair in pairs)


def test_without_holes_or_neighbours_the_network_is_not_run() -> None:
    network = flow_network()
    completion = LearnedFlow(network)
    flows = smooth(3)
    pairs = completion(flows, [np.zeros((HEIGHT, WIDTH), bool)] * 3)
    assert all(np.array_equal(pair.forward, forward) for pair, (forward, _) in zip(pairs, flows, strict=True))
    assert completion([], [hole()]) == []
    assert network.calls == []


def test_a_network_for_something_else_is_refused() -> None:
    with pytest.raises(ModelError, match="clip form, expected flow"):
        LearnedFlow(FakeHelper("clip", add_constants))
    with pytest.raises(ModelError, match="flow form, expected clip"):
        Inpainter(FLOW_MODEL)
    assert FLOW_MODEL not in shipped_models().values()


def error(pairs: list[Any], truth: list[Any], mask: NDArray[np.bool_]) -> float:
    return float(
        np.mean([np.abs(pair.forward - true.forward)[mask].mean() for pair, true in zip(pairs, truth, strict=True)])
    )


def test_the_network_that_comes_along_knows_a_motion_boundary(texture: Callable[..., Any]) -> None:
    # A bar moves against the background, behind the hole: smooth completion spreads its motion over the whole hole.
    background, bar = texture(HEIGHT, WIDTH + 40), texture(HEIGHT, 24, seed=1)
    clip = []
    for t in range(8):
        frame = background[:, 2 * t : 2 * t + WIDTH].copy()
        frame[:, 20 + 4 * t : 44 + 4 * t] = bar
        clip.append(frame)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[20:44, 24:76] = True
    truth = estimate_flows(clip, [np.zeros_like(mask)] * 8)
    with open_runner(flow_model(), threads=1) as runner:
        learned = estimate_flows(clip, [mask] * 8, completion=LearnedFlow(runner))
    assert error(learned, truth, mask) < error(estimate_flows(clip, [mask] * 8), truth, mask)
    assert all(pair.forward_doubt is not None and pair.forward_doubt[mask].min() > 0 for pair in learned)
