from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import get_data_path

from ptfan.engine.errors import InputError
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.sample_config import CutConfig
from ptfan.training.text_finding.config import BeforeConfig, TextTrainConfig
from ptfan.training.text_finding.data import TextDataset
from ptfan.training.text_finding.stored import as_stored

FONTS = Path(get_data_path()) / "fonts" / "ttf"
SAME = BeforeConfig(none=0, other=0, moved=0, cut=0, itself=0)
CHANGED = BeforeConfig(none=0.2, other=0.2, moved=0.2, cut=0.2, itself=0)


@pytest.fixture
def clips(tmp_path: Path, grey_waves: Callable[[int, int], np.ndarray]) -> ClipCache:
    np.save(tmp_path / "waves.npy", grey_waves(72, 96))
    return ClipCache((tmp_path / "waves.npy",))


def config(**changes: Any) -> TextTrainConfig:
    settings: dict[str, Any] = {"sample": CutConfig(frames=2, size=(64, 32), scale_max=1.2), "size": (9.0, 20.0)}
    return TextTrainConfig(steps=6, batch=2, fonts=str(FONTS), **settings | changes)


def test_samples(clips: ClipCache) -> None:
    samples = TextDataset(clips, config())
    assert len(samples) == 12
    for index in range(12):
        sample = samples[index]
        assert {name: tuple(value.shape) for name, value in sample.items()} == {
            "picture": (3, 32, 64),
            "before": (3, 32, 64),
            "target": (1, 32, 64),
        }
        again = samples[index]
        assert all(torch.equal(sample[name], again[name]) for name in sample)
        assert 0 <= sample["picture"].min() <= sample["picture"].max() <= 1


def test_every_sample_may_be_without_a_caption(clips: ClipCache) -> None:
    samples = TextDataset(clips, config(empty=1.0))
    assert not any(samples[index]["target"].any() for index in range(6))


def difference(samples: TextDataset) -> float:
    """Return how far the frame before differs where text is, mean over the samples."""
    found = []
    for index in range(12):
        sample = samples[index]
        text = sample["target"].bool().expand(3, -1, -1)
        found.append((sample["picture"] - sample["before"])[text].abs().mean().item())
    return float(np.mean(found))


def test_the_frame_before_has_the_same_caption_unless_it_is_said_otherwise(clips: ClipCache) -> None:
    same, changed = (TextDataset(clips, config(empty=0.0, before=before)) for before in (SAME, CHANGED))
    assert difference(same) < 0.5 * difference(changed)


def test_the_frame_itself_may_stand_for_the_one_before(clips: ClipCache) -> None:
    samples = TextDataset(clips, config(before=BeforeConfig(none=0, other=0, moved=0, cut=0, itself=0.2)))
    equal = [torch.equal(sample["picture"], sample["before"]) for sample in (samples[index] for index in range(12))]
    assert 0 < sum(equal) < 12


@pytest.mark.parametrize("quality", [None, 60])
def test_stored_pictures_are_near_what_they_were_made_of(quality: int | None) -> None:
    picture = np.zeros((32, 32, 3), np.float32)
    picture[..., 0], picture[:, 16:, 2] = 0.8, 0.4
    stored = as_stored(np.random.default_rng(0), picture, quality, noise=0.0)
    assert stored.dtype == np.uint8
    assert np.abs(stored / 255 - picture).mean() < 0.03


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"empty": 1.5}, "empty is 1.5"),
        ({"size": (20.0, 10.0)}, r"size is \(20.0, 10.0\)"),
        ({"sample": CutConfig(frames=3, size=(64, 32))}, "sample frames is 3, expected 2"),
        ({"sample": CutConfig(frames=2, size=(64, 40))}, "expected multiples of 16"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        config(**values)


def test_the_same_caption_stays_the_usual_case() -> None:
    with pytest.raises(InputError, match=r"none is 0\.5"):
        BeforeConfig(none=0.5)
