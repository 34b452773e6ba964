from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.training.model.align import ClipEnds, MotionPyramid, flow_warp, shift_and_align

CONVENTIONS = ("pixel", "tsam", None)


def motion_of(forward, backward, valid_forward, valid_backward, clips=1):
    return MotionPyramid.build(forward, backward, valid_forward, valid_backward, clips).at(1)


def constant_motion(frames, height, width, u=0.0, v=0.0, valid=1.0):
    flow = torch.tensor([u, v]).reshape(1, 2, 1, 1).expand(frames, 2, height, width)
    validity = torch.full((frames, 1, height, width), valid)
    return motion_of(flow, -flow, validity, validity)


def random_motion(seed, frames, height, width, clips=1):
    generator = torch.Generator().manual_seed(seed)
    flows = [3 * torch.randn(frames, 2, height, width, generator=generator) for _ in range(2)]
    valid = [(torch.rand(frames, 1, height, width, generator=generator) < 0.8).float() for _ in range(2)]
    return motion_of(flows[0], flows[1], valid[0], valid[1], clips=clips)


def features(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def as_published(motion):
    """Flows and masks as the published code takes them, for the slow reference."""
    forward, backward = motion.flow_forward.numpy(), motion.flow_backward.numpy()
    masks = (1 - motion.validity_forward[:-1, 0].numpy(), 1 - motion.validity_backward[1:, 0].numpy())
    return forward[:-1], backward[1:], *masks


@given(
    seed=st.integers(0, 10**6),
    frames=st.integers(1, 4),
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    published=st.booleans(),
    sparse=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_alignment_equals_the_slow_reference(slow_alignment, seed, frames, height, width, published, sparse):
    x = features(seed, frames, 7, height, width)
    if sparse:  # rectified features: whole pixels are zero, which the published layer takes for a hole in the warp
        x = x.relu() * (features(seed + 1, frames, 1, height, width) > 0.3)
    motion = random_motion(seed, frames, height, width)
    ours = shift_and_align(x, motion, 3, "tsam" if published else "pixel")
    slow = slow_alignment(x.numpy(), *as_published(motion), 3, published)
    np.testing.assert_allclose(ours.numpy(), slow, atol=2e-5)


def test_the_backward_branch_is_tested_with_the_forward_warp_of_the_frame_before(slow_alignment):
    # Frame 1's forward features are zero, so that what is warped to frame 0 is; frame 0's backward features are not.
    x = torch.ones(2, 4, 4, 4)
    x[1, 0] = 0.0
    motion = constant_motion(2, 4, 4, u=0.25)
    x[1, 1] = 5.0
    published, clean = (shift_and_align(x, motion, 1, convention) for convention in ("tsam", "pixel"))
    assert published[1, 1].unique().tolist() == [5.0]
    assert clean[1, 1, :, 1:].unique().tolist() == [1.0]
    np.testing.assert_allclose(published.numpy(), slow_alignment(x.numpy(), *as_published(motion), 1), atol=1e-6)


@given(
    u=st.integers(-4, 4),
    v=st.integers(-4, 4),
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_a_whole_numbered_flow_is_a_shift_of_pixels(u, v, height, width, seed):
    x = features(seed, 2, 4, height, width)
    out = shift_and_align(x, constant_motion(2, height, width, u, v), 2, "pixel")
    padded = np.pad(x[1, :2].numpy(), ((0, 0), (4, 4), (4, 4)))
    expected = padded[:, 4 + v : 4 + v + height, 4 + u : 4 + u + width]
    np.testing.assert_allclose(out[0, :2].numpy(), expected, atol=1e-5)


def test_without_motion_the_clean_alignment_is_the_plain_shift():
    x = features(0, 5, 8, 6, 10)
    motion = constant_motion(5, 6, 10)
    torch.testing.assert_close(shift_and_align(x, motion, 2, "pixel"), shift_and_align(x, motion, 2, None))


def test_the_plain_shift_looks_at_no_flow():
    x = features(0, 4, 8, 5, 5)
    shifted = shift_and_align(x, random_motion(1, 4, 5, 5), 2, None)
    assert torch.equal(shifted[:-1, :2], x[1:, :2])
    assert torch.equal(shifted[1:, 2:4], x[:-1, 2:4])
    assert torch.equal(shifted[:, 4:], x[:, 4:])


@pytest.mark.parametrize("convention", ["pixel", "tsam"])
def test_where_no_flow_is_valid_a_frame_keeps_its_own(convention):
    x = features(0, 4, 8, 5, 6)
    out = shift_and_align(x, constant_motion(4, 5, 6, 1.0, 0.5, valid=0.0), 2, convention)
    expected = x.clone()
    expected[-1, :2] = 0
    expected[0, 2:4] = 0
    assert torch.equal(out, expected)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_folds_from_outside_the_clip_are_zero(convention, frames):
    x = features(0, frames, 8, 5, 6) + 10
    out = shift_and_align(x, random_motion(2, frames, 5, 6), 2, convention)
    assert out.shape == x.shape
    assert out[-1, :2].unique().tolist() == [0.0]
    assert out[0, 2:4].unique().tolist() == [0.0]
    assert torch.equal(out[:, 4:], x[:, 4:])


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_clips_in_a_batch_do_not_see_each_other(convention, frames):
    x = features(0, 3 * frames, 8, 5, 6)
    together = shift_and_align(x, random_motion(3, 3 * frames, 5, 6, clips=3), 2, convention)
    whole = random_motion(3, 3 * frames, 5, 6, clips=3)
    for clip in range(3):
        part = slice(clip * frames, (clip + 1) * frames)
        tensors = (whole.flow_forward, whole.flow_backward, whole.validity_forward, whole.validity_backward)
        alone = shift_and_align(x[part], motion_of(*(tensor[part] for tensor in tensors)), 2, convention)
        assert torch.equal(together[part], alone)


@pytest.mark.parametrize("convention", ["pixel", "tsam"])
def test_entries_that_point_out_of_the_clip_are_not_looked_at(convention):
    x = features(0, 3, 8, 5, 6)
    motion = random_motion(4, 3, 5, 6)
    forward, backward = motion.flow_forward.clone(), motion.flow_backward.clone()
    valid_forward, valid_backward = motion.validity_forward.clone(), motion.validity_backward.clone()
    before = shift_and_align(x, motion, 2, convention)
    forward[-1], backward[0] = 1e6, float("nan")
    valid_forward[-1], valid_backward[0] = 1.0, 1.0
    after = shift_and_align(x, motion_of(forward, backward, valid_forward, valid_backward), 2, convention)
    assert torch.equal(before, after)


@pytest.mark.parametrize("convention", ["pixel", "tsam"])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_features_are_sampled_in_full_precision(convention, kind):
    # At this width a half-precision coordinate would be off by up to a quarter of a pixel.
    x = torch.linspace(0, 1, 432, dtype=kind).expand(2, 4, 2, 432)
    motion = constant_motion(2, 2, 432, u=0.3)
    half = shift_and_align(x, motion, 1, convention)
    full = shift_and_align(x.float(), motion, 1, convention)
    assert half.dtype == kind
    torch.testing.assert_close(half.float(), full, atol=2 * torch.finfo(kind).eps, rtol=0)


class TestFlowWarp:
    def test_invalid_pixels_are_the_fallback_to_the_bit(self):
        x, fallback = features(0, 2, 3, 5, 6), features(1, 2, 3, 5, 6)
        validity = (features(2, 2, 1, 5, 6) > 0).float()
        out, _ = flow_warp(x, features(3, 2, 2, 5, 6), validity, fallback)
        invalid = (validity == 0).expand_as(out)
        assert torch.equal(out[invalid], fallback[invalid])

    def test_nonzero_tells_of_the_warp_alone(self):
        x = torch.ones(1, 3, 4, 6)
        flow = torch.zeros(1, 2, 4, 6)
        flow[..., :2] = -100.0
        _, nonzero = flow_warp(x, flow, torch.zeros(1, 1, 4, 6), x)
        assert nonzero[0, 0].tolist() == [[0, 0, 1, 1, 1, 1]] * 4

    def test_opposite_channels_are_as_good_as_none(self):
        x = torch.tensor([1.5, -1.5]).reshape(1, 2, 1, 1).expand(1, 2, 3, 3)
        fallback = torch.full((1, 2, 3, 3), 9.0)
        still, valid = torch.zeros(1, 2, 3, 3), torch.ones(1, 1, 3, 3)
        tested, nonzero = flow_warp(x, still, valid, fallback, require_nonzero=True)
        untested, _ = flow_warp(x, still, valid, fallback)
        assert nonzero.sum() == 0
        assert torch.equal(tested, fallback)
        torch.testing.assert_close(untested, x)

    def test_gradients_go_where_the_values_came_from(self):
        x, fallback = features(0, 1, 2, 4, 4).requires_grad_(), features(1, 1, 2, 4, 4).requires_grad_()
        validity = torch.zeros(1, 1, 4, 4)
        validity[..., :2] = 1.0
        out, _ = flow_warp(x, torch.zeros(1, 2, 4, 4), validity, fallback, require_nonzero=True)
        out.sum().backward()
        assert x.grad is not None
        assert fallback.grad is not None
        torch.testing.assert_close(x.grad, validity.expand_as(x))
        torch.testing.assert_close(fallback.grad, (1 - validity).expand_as(x))


class TestPyramid:
    @pytest.mark.parametrize("stride", [1, 2, 4, 8])
    def test_levels_are_nearest_and_their_vectors_rescaled(self, stride):
        full = random_motion(0, 3, 16, 24)
        level = MotionPyramid(full).at(stride)
        size = (16 // stride, 24 // stride)
        for name in ("flow_forward", "flow_backward"):
            expected = F.interpolate(getattr(full, name), size, mode="nearest") / stride
            torch.testing.assert_close(getattr(level, name), expected)
        for name in ("validity_forward", "validity_backward"):
            assert torch.equal(getattr(level, name), F.interpolate(getattr(full, name), size, mode="nearest"))
        assert level.ends is full.ends

    def test_a_level_is_made_once(self):
        pyramid = MotionPyramid(random_motion(0, 2, 8, 8))
        assert pyramid.at(4) is pyramid.at(4)

    def test_no_flow_is_valid_out_of_a_clip(self):
        valid = torch.ones(6, 1, 8, 8)
        motion = motion_of(torch.zeros(6, 2, 8, 8), torch.zeros(6, 2, 8, 8), valid, valid, clips=2)
        assert motion.validity_forward[:, 0, 0, 0].tolist() == [1, 1, 0, 1, 1, 0]
        assert motion.validity_backward[:, 0, 0, 0].tolist() == [0, 1, 1, 0, 1, 1]


def test_neighbours_stay_within_their_clip():
    ends = ClipEnds.build(6, 2, torch.device("cpu"))
    assert ends.following.tolist() == [1, 2, 2, 4, 5, 5]
    assert ends.preceding.tolist() == [0, 0, 1, 3, 3, 4]
    assert ends.has_next.flatten().tolist() == [True, True, False] * 2
    assert ends.has_previous.flatten().tolist() == [False, True, True] * 2


def test_a_motion_is_not_changed_by_its_use():
    motion = random_motion(0, 3, 8, 8)
    kept = replace(motion, flow_forward=motion.flow_forward.clone(), flow_backward=motion.flow_backward.clone())
    shift_and_align(features(0, 3, 4, 8, 8), motion, 1, "tsam")
    MotionPyramid(motion).at(2)
    assert torch.equal(motion.flow_forward, kept.flow_forward)
    assert torch.equal(motion.flow_backward, kept.flow_backward)
