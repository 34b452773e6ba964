from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ptfan.engine.errors import InputError
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.sample_config import CutConfig
from ptfan.training.flow_completion.config import FlowTrainConfig
from ptfan.training.flow_completion.data import FlowDataset, hidden


@pytest.fixture
def clips(tmp_path: Path, grey_waves: Callable[[int, int], np.ndarray]) -> ClipCache:
    np.save(tmp_path / "waves.npy", grey_waves(48, 64))
    return ClipCache((tmp_path / "waves.npy",))


def settings(estimated: float) -> FlowTrainConfig:
    cut = CutConfig(frames=4, size=(48, 32), double_speed=0.0)
    return FlowTrainConfig(steps=6, batch=1, sample=cut, estimated=estimated)


@pytest.mark.parametrize("estimated", [0.0, 1.0])
def test_samples(clips: ClipCache, estimated: float) -> None:
    samples = FlowDataset(clips, settings(estimated))
    assert len(samples) == 6
    for index in range(6):
        sample = samples[index]
        assert {name: tuple(value.shape) for name, value in sample.items()} == {
            "flow": (4, 4, 8, 12),
            "known": (4, 1, 8, 12),
            "target": (4, 4, 8, 12),
        }
        again = samples[index]
        assert all(torch.equal(sample[name], again[name]) for name in sample)
        known = (sample["known"] == 1).expand_as(sample["flow"])
        apart = (sample["flow"] - sample["target"])[known].abs()
        if estimated == 0:
            assert not apart.any()
        # What points out of the clip is the other direction's, negated.
        torch.testing.assert_close(sample["flow"][0, 2:], -sample["flow"][0, :2])


def test_what_is_hidden_has_no_influence() -> None:
    rng = np.random.default_rng(0)
    forward, backward = rng.normal(0, 1, (2, 16, 24, 2)).astype(np.float32)
    unknown = [np.zeros((16, 24), bool), np.zeros((16, 24), bool)]
    unknown[0][4:9, 5:12] = unknown[1][6:12, 8:20] = True
    (first,) = hidden([(forward, backward)], unknown)
    forward[unknown[0]], backward[unknown[1]] = 99, -99
    (second,) = hidden([(forward, backward)], unknown)
    for a, b, mask, flow in zip(first, second, unknown, (forward, backward), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a[~mask], flow[~mask])


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ({"estimated": 1.5}, {"gain": -1.0}, {"spread": -1.0}, {"sample": CutConfig(size=(40, 32))}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            FlowTrainConfig(**wrong)
    with pytest.raises(InputError, match="frames"):
        FlowTrainConfig(sample=CutConfig(frames=1, size=(48, 32)))
