from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ptfan.engine.errors import ModelError
from ptfan.training.model import Generator, GeneratorConfig, preset

PUBLISHED_GFLOP = 199.5
"""Of the published network for a frame of 432x240, twice its multiply-adds."""


def giga_flop(name, frames=2, height=240, width=432):
    """Return what one frame costs; tensors without memory serve."""
    with torch.device("meta"):
        generator = Generator(preset(name)).eval()
        clip = [torch.empty(frames, channels, height, width) for channels in (3, 1, 1, 2, 2, 1, 1)]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        generator(*clip)
    return counter.get_total_flops() / frames / 1e9


def parameters(name):
    with torch.device("meta"):
        return sum(value.numel() for value in Generator(preset(name)).parameters())


class TestSize:
    def test_r50_has_the_published_number_of_parameters(self):
        assert parameters("r50") / 1e6 == pytest.approx(31.66, abs=0.005)

    def test_s_is_small(self):
        assert parameters("s") <= 4e6
        assert giga_flop("s") <= 5

    def test_r50_costs_what_was_published_less_what_commuting_saves(self):
        # A 1x1 convolution before the enlargement by 2 works on a quarter of the pixels.
        pixels = 240 * 432
        saved = sum(2 * inputs * 256 * pixels * 3 / 4 / area for inputs, area in ((2048, 16), (256, 4), (256, 1))) / 1e9
        assert giga_flop("r50") + saved == pytest.approx(PUBLISHED_GFLOP, abs=0.3)

    def test_gates_cost_what_they_compute(self):
        gated, plain = (
            sum(v.numel() for v in Generator(preset("s", gated=gated)).parameters()) for gated in (True, False)
        )
        assert 0.6 * gated < plain < 0.95 * gated


class TestForward:
    @pytest.mark.parametrize("frames", [1, 2, 3])
    @pytest.mark.parametrize(("height", "width"), [(8, 8), (16, 40), (24, 8)])
    def test_any_length_and_multiples_of_8(self, frames, height, width, make_clip, make_generator, tiny_paper):
        for config in (tiny_paper, preset("s")):
            with torch.no_grad():
                fill = make_generator(config)(*make_clip(frames, height, width).values())
            assert fill.shape == (frames, 3, height, width)
            assert fill.isfinite().all()

    @pytest.mark.parametrize("convention", ["pixel", "tsam"])
    def test_a_batch_of_clips_equals_one_by_one(self, convention, make_clip, make_generator):
        generator = make_generator(preset("s", convention=convention))
        clips = [make_clip(3, 16, 24, seed) for seed in range(3)]
        with torch.no_grad():
            together = generator(*(torch.cat([clip[name] for clip in clips]) for name in clips[0]), clips=3)
            alone = torch.cat([generator(*clip.values()) for clip in clips])
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)

    def test_the_ignored_entries_are_ignored(self, make_clip, make_generator):
        generator, clip = make_generator(preset("s")), make_clip(3, 16, 24)
        with torch.no_grad():
            before = generator(*clip.values())
            for name, frame in (("forward", -1), ("backward", 0)):
                clip[f"flow_{name}"][frame] = 1e5
                clip[f"validity_{name}"][frame] = 1.0
            after = generator(*clip.values())
        assert torch.equal(before, after)

    def test_what_stands_in_the_hole_does_not_count_where_holes_are_zero(self, make_clip, make_generator, tiny_paper):
        generator, clip = make_generator(tiny_paper), make_clip(2, 16, 24)
        other = {**clip, "frames": torch.where(clip["hole"] > 0, 1 - clip["frames"], clip["frames"])}
        with torch.no_grad():
            assert torch.equal(generator(*clip.values()), generator(*other.values()))

    def test_propagated_colours_count(self, make_clip, make_generator):
        generator, clip = make_generator(preset("s")), make_clip(2, 16, 24)
        other = {**clip, "frames": torch.where(clip["hole"] > 0, 1 - clip["frames"], clip["frames"])}
        with torch.no_grad():
            assert not torch.allclose(generator(*clip.values()), generator(*other.values()), atol=0.01)

    def test_without_alignment_flow_does_not_count(self, make_clip, make_generator):
        generator, clip = make_generator(preset("s", alignment="shift")), make_clip(3, 16, 24)
        other = {**clip, **{name: torch.zeros_like(clip[name]) for name in clip if name[:4] in {"flow", "vali"}}}
        with torch.no_grad():
            assert torch.equal(generator(*clip.values()), generator(*other.values()))

    def test_every_part_that_aligns_counts(self, make_clip, make_generator):
        clip = make_clip(3, 16, 24)
        parts = ("stage1", "stage2", "stage3", "stage4", "decoder")
        with torch.no_grad():
            fills = [
                make_generator(preset("s", aligned_parts=parts[:count]))(*clip.values())
                for count in range(len(parts) + 1)
            ]
        for fewer, more in pairwise(fills):
            assert not torch.allclose(fewer, more, atol=1e-5)

    @pytest.mark.parametrize("name", ["tiny", "s"])
    def test_it_reaches_as_many_frames_as_it_has_temporal_layers(self, name, make_clip, make_generator, tiny_paper):
        config = tiny_paper if name == "tiny" else preset("s")
        reach = config.temporal_layers
        generator = make_generator(config).double()
        clip = {key: value.double() for key, value in make_clip(2 * reach + 3, 16, 16).items()}
        clip["frames"].requires_grad_()
        clip["hole"] *= 0
        fill = generator(*clip.values())
        fill[reach + 1].square().sum().backward()
        reached = clip["frames"].grad.abs().amax(dim=(1, 2, 3)) > 0
        assert reached.nonzero().flatten().tolist() == list(range(1, 2 * reach + 2))


class TestParts:
    def test_the_fill_is_the_blend_of_its_parts(self, make_clip, make_generator):
        generator, clip = make_generator(preset("s")), make_clip(2, 16, 24)
        with torch.no_grad():
            parts = generator.forward_parts(*clip.values())
            share = torch.sigmoid(parts.blend_logit)
            assert torch.equal(parts.fill, generator(*clip.values()))
        assert parts.blend_logit.shape == (2, 1, 16, 24)
        torch.testing.assert_close(parts.fill, share * clip["frames"] + (1 - share) * parts.own)

    def test_the_papers_network_has_no_blend(self, make_clip, make_generator, tiny_paper):
        generator, clip = make_generator(tiny_paper), make_clip(2, 16, 24)
        with torch.no_grad():
            parts = generator.forward_parts(*clip.values())
        assert parts.blend_logit is None
        assert torch.equal(parts.fill, parts.own)


def test_gradients_reach_every_parameter_of_s(make_clip):
    torch.manual_seed(0)
    generator, clip = Generator(preset("s")).train(), make_clip(4, 32, 32)
    parts = generator.forward_parts(*clip.values(), clips=2)
    (parts.fill - clip["frames"].flip(0)).abs().mean().backward()
    dead = [name for name, value in generator.named_parameters() if value.grad is None or not value.grad.any()]
    assert dead == []


def test_gradients_are_finite_where_frames_end(make_clip):
    torch.manual_seed(0)
    generator, clip = Generator(preset("s")).train(), make_clip(2, 16, 16)
    clip["flow_forward"][:] = 1e4
    generator(*clip.values()).sum().backward()
    assert all(value.grad is not None and value.grad.isfinite().all() for value in generator.parameters())


class TestErrors:
    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"frames": (2, 3, 20, 16)}, "frames are 16x20, expected multiples of 8"),
            ({"frames": (2, 3, 16, 0)}, "frames are 0x16"),
            ({"frames": (1, 2, 3, 16, 16)}, "frames have shape (1, 2, 3, 16, 16), expected (N, 3, H, W)"),
            ({"frames": (0, 3, 16, 16)}, "0 frames"),
            ({"frames": (2, 4, 16, 16)}, "frames: shape is (2, 4, 16, 16), expected (2, 3, 16, 16)"),
            ({"hole": (2, 16, 16)}, "hole: shape is (2, 16, 16), expected (2, 1, 16, 16)"),
            ({"guidance": (1, 1, 16, 16)}, "guidance: shape is (1, 1, 16, 16)"),
            ({"flow_backward": (1, 2, 16, 16)}, "flow_backward: shape is (1, 2, 16, 16)"),
            ({"flow_forward": (2, 16, 16, 2)}, "flow_forward: shape is (2, 16, 16, 2)"),
            ({"validity_forward": (2, 1, 8, 8)}, "validity_forward: shape is (2, 1, 8, 8)"),
        ],
    )
    def test_shapes_that_do_not_fit(self, changes, told, make_clip):
        with torch.device("meta"):
            generator = Generator(preset("s")).eval()
            clip = make_clip_on_meta(make_clip) | {name: torch.empty(shape) for name, shape in changes.items()}
        with pytest.raises(ModelError) as caught:
            generator(*clip.values())
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("clips", [-1, 0, 2, 4])
    def test_frames_that_are_no_clips_of_equal_length(self, clips, make_clip):
        with torch.device("meta"):
            generator = Generator(preset("s")).eval()
        clip = {name: torch.cat([value, value[:1]]) for name, value in make_clip_on_meta(make_clip).items()}
        with pytest.raises(ModelError, match=rf"3 frames are no {clips} clips of equal length"):
            generator(*clip.values(), clips=clips)


def make_clip_on_meta(make_clip):
    return {name: torch.empty_like(value, device="meta") for name, value in make_clip(2, 16, 16).items()}


@pytest.mark.parametrize("decoder", ["paper", "light"])
def test_a_generator_without_gates_runs_and_keeps_its_config(decoder, make_clip, make_generator, tiny_paper):
    config = replace(tiny_paper if decoder == "paper" else preset("s"), gated=False)
    assert GeneratorConfig.from_json(config.to_json()) == config
    generator = make_generator(config)
    assert not any("gate" in key for key in generator.state_dict())
    with torch.no_grad():
        assert generator(*make_clip(2, 16, 16).values()).isfinite().all()
    assert GeneratorConfig.from_json(preset("s").to_json().replace('"gated": true, ', "")).gated
