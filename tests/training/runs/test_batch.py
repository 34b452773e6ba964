from __future__ import annotations

from itertools import chain

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.generator.config import TrainConfig
from ptfan.training.runs.batch import Batch, StepSampler


def test_clips_are_stacked_one_after_the_other() -> None:
    samples = {name: torch.rand(2, 3, 1, 8, 8) for name in (*CLIP_INPUTS, "target")}
    batch = Batch.stack(samples, 6, torch.device("cpu"))
    assert (batch.clips, batch.frames, batch.first) == (2, 3, 6)
    assert set(batch.inputs) == set(CLIP_INPUTS)
    assert torch.equal(batch.hole[4], samples["hole"][1, 1])
    assert torch.equal(batch.target[2], samples["target"][0, 2])


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 4))
def test_a_step_has_the_same_samples_however_it_is_shared(size: int, passes: int, world: int, first_step: int) -> None:
    batch = size * passes * world
    config = TrainConfig(steps=5, batch=batch, accumulate=passes)
    samplers = [StepSampler(config, first_step, rank=rank, world=world) for rank in range(world)]
    shares = [list(sampler) for sampler in samplers]
    assert [len(share) for share in shares] == [len(sampler) for sampler in samplers]
    for place, step in enumerate(range(first_step, 5)):
        lists = [share[place * passes : (place + 1) * passes] for share in shares]
        assert sorted(chain(*chain(*lists))) == list(range(step * batch, (step + 1) * batch))
        for sampler, own in zip(samplers, lists, strict=True):
            assert [numbers[0] for numbers in own] == [sampler.first(step, number) for number in range(passes)]
            assert all(numbers == list(range(numbers[0], numbers[0] + size)) for numbers in own)


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(
        InputError, match="a batch of 2 cannot be shared by 3 processes in 1 passes; expected a multiple"
    ):
        StepSampler(TrainConfig(batch=2), world=3)
