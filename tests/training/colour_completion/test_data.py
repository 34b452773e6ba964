from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ptfan.engine.errors import InputError
from ptfan.training.colour_completion.config import ColourTrainConfig
from ptfan.training.colour_completion.data import ColourDataset
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.sample_config import SampleConfig


@pytest.fixture
def clips(tmp_path: Path, grey_waves: Callable[[int, int], np.ndarray]) -> ClipCache:
    np.save(tmp_path / "waves.npy", grey_waves(72, 96))
    return ClipCache((tmp_path / "waves.npy",))


def config(**changes: Any) -> ColourTrainConfig:
    sample = SampleConfig(frames=3, size=(64, 64), colour_completion="smooth", flow_completion="smooth")
    return ColourTrainConfig(steps=6, batch=1, sample=sample, **changes)


@pytest.mark.parametrize("unseen", [0.0, 1.0])
def test_samples(clips: ClipCache, unseen: float) -> None:
    samples = ColourDataset(clips, config(unseen=unseen, tint=0.0))
    assert len(samples) == 6
    for index in range(6):
        sample = samples[index]
        assert {name: tuple(value.shape) for name, value in sample.items()} == {
            "picture": (3, 3, 16, 16),
            "confidence": (3, 1, 16, 16),
            "hole": (3, 1, 16, 16),
            "target": (3, 3, 16, 16),
        }
        again = samples[index]
        assert all(torch.equal(sample[name], again[name]) for name in sample)
        known = sample["hole"] == 0
        pictures = (sample[name].permute(0, 2, 3, 1)[known[:, 0]] for name in ("picture", "target"))
        assert torch.equal(*pictures)
        assert (sample["confidence"][known] == 1).all()
        assert (sample["hole"] > 0).any()
        if unseen:
            torch.testing.assert_close(sample["confidence"], 1 - sample["hole"])


def test_a_tint_is_that_of_the_whole_sample(clips: ClipCache) -> None:
    plain, tinted = (ColourDataset(clips, config(tint=tint))[0] for tint in (0.0, 0.3))
    for name in ("picture", "target"):
        ratio = tinted[name] / plain[name]
        torch.testing.assert_close(ratio, ratio[:1, :, :1, :1].expand_as(ratio), atol=1e-3, rtol=1e-3)
        assert not torch.allclose(ratio, torch.ones_like(ratio), atol=0.01)
    assert torch.equal(plain["confidence"], tinted["confidence"])


def test_settings_that_make_no_sense_are_refused() -> None:
    learned = SampleConfig(size=(64, 64))
    odd = SampleConfig(size=(48, 64), colour_completion="smooth")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"unseen": 1.5}, "unseen is 1.5"),
        ({"tint": -1.0}, "tint is -1.0"),
        ({"sample": learned}, "colour_completion is learned, expected smooth"),
        ({"sample": odd}, "expected multiples of 64"),
    ]
    for values, text in wrong:
        with pytest.raises(InputError, match=text):
            ColourTrainConfig(**values)
