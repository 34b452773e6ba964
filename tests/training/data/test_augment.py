from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.frame import Box
from ptfan.training.data.augment import View, choose_stretch, choose_view, compose, composed_pair
from ptfan.training.data.sample_config import CutConfig

FRAME = (96, 64)
ZOOM = 1.05
CENTRE = np.array([30.0, 40.0])


def grid(size: tuple[int, int]) -> NDArray[np.float64]:
    """Return every pixel's (x, y), (H, W, 2)."""
    return np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1).astype(np.float64)


def frame(t: int) -> NDArray[np.uint8]:
    """Return frame t of a camera that zooms out of a smooth pattern, round a point that is not the middle."""
    places = CENTRE + (grid(FRAME) - CENTRE) * ZOOM**t
    x, y = places[..., 0], places[..., 1]
    waves = [np.sin(x / 5 + y / 9), np.cos(y / 4 - x / 11), np.sin(x / 7) * np.cos(y / 6)]
    return (127 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def flow(steps: int) -> NDArray[np.float32]:
    """Return the flow from any frame to the one so many steps on (or back)."""
    return ((grid(FRAME) - CENTRE) * (ZOOM**-steps - 1)).astype(np.float32)


def warp_error(near: NDArray[np.float32], neighbour: NDArray[np.float32], field: NDArray[np.float32]) -> float:
    """Warp the neighbour back along the flow; return the mean error where it points inside."""
    places = (grid(near.shape[1::-1]) + field).astype(np.float32)
    warped = cv2.remap(neighbour, places[..., 0], places[..., 1], cv2.INTER_LINEAR)
    inside = ((places >= 0) & (places <= np.array(near.shape[1::-1]) - 1)).all(axis=-1)
    assert inside.mean() > 0.5
    return float(np.abs(warped - near)[inside].mean())


VIEWS = st.builds(
    View,
    st.builds(Box, st.integers(0, 30), st.integers(0, 20), st.integers(30, 60), st.integers(24, 40)),
    st.sampled_from([(48, 32), (32, 40), (64, 48)]),
    st.booleans(),
    st.booleans(),
)


class TestView:
    @settings(max_examples=60, deadline=None)
    @given(VIEWS, st.sampled_from([1, -1]), st.sampled_from([1, 2]))
    def test_flow_of_a_view_still_warps_right(self, view: View, step: int, coarse: int) -> None:
        near, neighbour = (view.picture(frame(t)) for t in (5, 5 + step))
        field = flow(step)
        if coarse > 1:
            field = cv2.resize(field, (FRAME[0] // coarse, FRAME[1] // coarse), interpolation=cv2.INTER_AREA)
        shown = view.flow(field, FRAME)
        error = warp_error(near, neighbour, shown)
        assert error < 0.02
        # In an enlarged view of the centre things move by little, and sampling them costs two thirds of that: flow that
        # leads the other way is what shows a wrong sign.
        assert error < 0.75 * warp_error(near, neighbour, 0 * shown)
        assert error < 0.4 * warp_error(near, neighbour, -shown)

    @settings(max_examples=60, deadline=None)
    @given(VIEWS)
    def test_flow_is_what_geometry_says(self, view: View) -> None:
        scale = np.array(view.size) / (view.box.width, view.box.height)
        shown = grid(view.size)
        shown[..., 0] = view.size[0] - 1 - shown[..., 0] if view.flip else shown[..., 0]
        shown[..., 1] = view.size[1] - 1 - shown[..., 1] if view.flip_vertical else shown[..., 1]
        places = (shown + 0.5) / scale - 0.5 + (view.box.x, view.box.y)
        signs = np.array([-1 if view.flip else 1, -1 if view.flip_vertical else 1])
        # Places beyond the outermost pixels' centres, which enlarging has, take those pixels' flow.
        wanted = (np.clip(places, 0, np.array(FRAME) - 1) - CENTRE) * (1 / ZOOM - 1) * scale * signs
        steps = np.rint(flow(1) * 32).astype(np.int16)
        assert np.allclose(view.flow(flow(1), FRAME), wanted, atol=0.01)
        assert np.allclose(view.flow(steps, FRAME, 1 / 32), wanted, atol=0.08)

    def test_the_whole_frame_is_left_as_it_is(self) -> None:
        view = View(Box(0, 0, *FRAME), FRAME)
        assert np.array_equal(view.picture(frame(0)), frame(0).astype(np.float32) / np.float32(255))
        assert np.allclose(view.flow(flow(1), FRAME), flow(1), atol=1e-5)

    def test_mirrors(self) -> None:
        for flip, vertical in ((True, False), (False, True), (True, True)):
            mirrored = View(Box(0, 0, *FRAME), FRAME, flip, vertical).picture(frame(0))
            assert np.array_equal(mirrored[:: -1 if vertical else 1, :: -1 if flip else 1] * 255, frame(0))


class TestComposition:
    def test_two_steps_are_one_long_one(self) -> None:
        total, inside = compose([flow(1), flow(1)])
        assert np.abs(total - flow(2))[inside].max() < 1e-3
        near, far = (frame(t).astype(np.float32) / np.float32(255) for t in (3, 5))
        assert warp_error(near, far, total) < 0.01

    def test_a_way_that_leaves_the_frame_is_known(self) -> None:
        out, back = np.zeros((4, 6, 2), np.float32), np.zeros((4, 6, 2), np.float32)
        out[..., 0], back[..., 0] = 4, -4
        total, inside = compose([out, back])
        assert not total.any()
        assert np.array_equal(inside, np.broadcast_to(np.arange(6) < 2, (4, 6)))

    def test_composed_flow_is_valid_where_both_ways_agree(self) -> None:
        pair = composed_pair([flow(1), flow(1)], [flow(-1), flow(-1)])
        assert np.abs(pair.backward - flow(-2))[pair.backward_validity].max() < 1e-3
        assert pair.forward_validity.mean() > 0.95  # zooming out, nothing leaves
        assert 0.7 < pair.backward_validity.mean() < 0.95  # and what comes in was not there before
        wrong = composed_pair([flow(1), flow(1)], [flow(1), flow(1)])
        assert wrong.forward_validity.mean() < 0.5


class TestChoices:
    @settings(max_examples=100, deadline=None)
    @given(st.integers(0, 10**6), st.integers(5, 60), st.integers(0, 9), st.integers(0, 4), st.floats(0, 1))
    def test_stretches_stay_in_their_scene(
        self, seed: int, length: int, history: int, future: int, fast: float
    ) -> None:
        config = CutConfig(frames=5, double_speed=fast)
        stretch = choose_stretch(np.random.default_rng(seed), range(100, 100 + length), config, (history, future))
        steps = set(np.diff(stretch.order))
        assert len(steps) == 1
        assert steps <= {1, 2, -1, -2}
        assert min(stretch.order) >= 100
        assert max(stretch.order) < 100 + length
        assert stretch.history <= history
        assert 0 <= len(stretch.order) - stretch.history - 5 <= future
        assert list(stretch.sample(5)) == list(range(stretch.history, stretch.history + 5))
        assert stretch.pairs() == list(zip(stretch.order, stretch.order[1:], strict=False))

    def test_a_long_scene_gives_the_whole_history(self) -> None:
        config = CutConfig(frames=4, double_speed=0.5)
        stretches = [choose_stretch(np.random.default_rng(seed), range(500), config, (6, 2)) for seed in range(50)]
        assert sum(stretch.history == 6 for stretch in stretches) > 45
        assert {int(np.diff(stretch.order)[0]) for stretch in stretches} == {1, 2, -1, -2}
        alone = choose_stretch(np.random.default_rng(0), range(500), config)
        assert (len(alone.order), alone.history) == (4, 0)

    @settings(max_examples=100, deadline=None)
    @given(st.integers(0, 10**6), st.integers(10, 300), st.integers(10, 300))
    def test_views_stay_in_the_frame(self, seed: int, height: int, width: int) -> None:
        view = choose_view(np.random.default_rng(seed), height, width, CutConfig(size=(48, 32)))
        assert view.box.common(Box(0, 0, width, height)) == view.box
        assert not view.flip_vertical
        assert view.box.width / view.box.height == pytest.approx(1.5, rel=0.1)

    def test_scales_keep_to_their_range(self) -> None:
        config = CutConfig(size=(48, 32), scale_min=1.5, scale_max=2.0, flip=0.0, flip_vertical=1.0)
        views = [choose_view(np.random.default_rng(seed), 400, 600, config) for seed in range(50)]
        scales = [view.box.width / 48 for view in views]
        assert 1.48 < min(scales) < 1.6 < 1.9 < max(scales) < 2.02
        assert all(view.flip_vertical and not view.flip for view in views)
