"""The step form against the clip form of whole clips."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ptfan.training.model import Generator, GeneratorConfig, preset
from ptfan.training.model.config import Stage
from ptfan.training.model.step import StepGenerator

Clip = dict[str, Tensor]
FORWARD = ("flow_forward", "validity_forward")


class Steps:
    """The plainest way to run the step form: every value that was ever written is kept."""

    def __init__(self, generator: Generator, slots: int, height: int, width: int) -> None:
        self.step = StepGenerator(generator)
        self.live: deque[list[float]] = deque(
            [[0.0] * slots for _ in range(self.step.lookahead + 2)], maxlen=self.step.lookahead + 2
        )
        self.past = [
            [torch.full((slots, item.channels, height // item.size, width // item.size), 7.0)] * max(item.delays)
            for item in self.step.carried
        ]

    def __call__(self, frame: Clip, live: list[float]) -> Tensor:
        self.live.appendleft(live)
        carried = self.step.carried
        past = [written[-delay] for item, written in zip(carried, self.past, strict=True) for delay in item.delays]
        with torch.no_grad():
            fill, *written = self.step(*frame.values(), torch.tensor(list(self.live)).T, *past)
        for old, new in zip(self.past, written, strict=True):
            old.append(new)
        return fill

    def start(self, slot: int) -> None:
        """Forget a slot's stream; what it has carried stays, and must not count."""
        for entry in self.live:
            entry[slot] = 0.0


def frame_of(clip: Clip, t: int) -> Clip:
    """Return what comes with frame t, (1, C, H, W) each; rubbish beyond the clip."""
    length = len(clip["frames"])

    def entry(name: str) -> Tensor:
        at = t - 1 if name in FORWARD else t
        return clip[name][at : at + 1] if 0 <= at < length else torch.rand_like(clip[name][:1])

    return {name: entry(name) for name in clip}


def run(generator: Generator, clips: list[Clip], starts: list[int]) -> list[Tensor]:
    """Run clips through the slots of one batch, each from its own start; return their fills."""
    height, width = clips[0]["frames"].shape[2:]
    steps = Steps(generator, len(clips), height, width)
    delay = steps.step.lookahead
    fills: list[list[Tensor]] = [[] for _ in clips]
    lengths = [len(clip["frames"]) for clip in clips]
    for n in range(max(start + length for start, length in zip(starts, lengths, strict=True)) + delay):
        times = [n - start for start in starts]
        frames = [frame_of(clip, t) for clip, t in zip(clips, times, strict=True)]
        batch = {name: torch.cat([frame[name] for frame in frames]) for name in frames[0]}
        fill = steps(batch, [float(0 <= t < length) for t, length in zip(times, lengths, strict=True)])
        for slot, (t, length) in enumerate(zip(times, lengths, strict=True)):
            if 0 <= t - delay < length:
                fills[slot].append(fill[slot])
    return [torch.stack(fill) for fill in fills]


def check(generator: Generator, clips: list[Clip], starts: list[int], tolerance: float = 1e-4) -> None:
    for clip, fill in zip(clips, run(generator, clips, starts), strict=True):
        with torch.no_grad():
            whole = generator(*clip.values())
        scale = max(1.0, float(whole.abs().max()))
        assert float((fill - whole).abs().max()) <= tolerance * scale


@pytest.mark.parametrize("name", ["s", "r50"])
@pytest.mark.parametrize("lookahead", [0, 3, 9, None])
def test_the_presets_step_through_two_clips_of_one_batch(name, lookahead, make_generator, make_clip):
    generator = make_generator(preset(name, lookahead=lookahead))
    frames = 5 if name == "r50" else 14
    check(generator, [make_clip(frames, 32, 48), make_clip(frames - 2, 32, 48)], [0, 3])


@pytest.mark.parametrize("lookahead", [0, 2, None])
def test_the_published_convention_steps_alike(lookahead, make_generator, make_clip, tiny_paper):
    generator = make_generator(replace(tiny_paper, convention="tsam", lookahead=lookahead))
    check(generator, [make_clip(7, 16, 24), make_clip(3, 16, 24)], [0, 1])


@pytest.mark.parametrize("alignment", ["shift", "aligned"])
def test_a_slot_is_used_again_right_away(alignment, make_generator, make_clip):
    """A stream that ends without a flush, and one that takes its place at once."""
    generator = make_generator(preset("s", lookahead=0, alignment=alignment))
    steps = Steps(generator, 1, 16, 24)
    for clip in (make_clip(4, 16, 24), make_clip(3, 16, 24)):
        steps.start(0)
        with torch.no_grad():
            whole = generator(*clip.values())
        for t, expected in enumerate(whole):
            torch.testing.assert_close(steps(frame_of(clip, t), [1.0])[0], expected, atol=1e-4, rtol=0)


CONFIGS = st.builds(
    GeneratorConfig,
    name=st.just("random"),
    stem_width=st.sampled_from([8, 16]),
    stem_kernel=st.sampled_from([3, 5]),
    stages=st.tuples(
        st.builds(Stage, st.just(4), st.sampled_from([(1,), (1, 1)])),
        st.builds(Stage, st.just(4), st.sampled_from([(1,), (1, 2)]), st.just(2)),
        st.builds(Stage, st.just(4), st.sampled_from([(2,), (1, 1)])),
        st.builds(Stage, st.just(4), st.sampled_from([(1,), (2, 4)])),
    ),
    decoder=st.sampled_from(["paper", "light"]),
    decoder_widths=st.just((16, 16)),
    convention=st.sampled_from(["pixel", "tsam"]),
    fill=st.sampled_from(["zero", "propagated"]),
    gated=st.booleans(),
    lookahead=st.none() | st.integers(0, 6),
)


@settings(max_examples=25, deadline=None)
@given(
    config=CONFIGS,
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    starts=st.lists(st.integers(0, 5), min_size=3, max_size=3),
    seed=st.integers(0, 1000),
)
def test_random_networks_step_alike(config, lengths, starts, seed, make_generator, make_clip):
    torch.manual_seed(seed)
    generator = make_generator(config)
    check(generator, [make_clip(length, 16, 24) for length in lengths], starts[: len(lengths)])
