from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.engine.typed_json import from_object
from ptfan.training.data.sample_config import FVI_AREAS, MaskConfig, SampleConfig


def read(values: object) -> SampleConfig:
    """Read settings as a run's configuration does."""
    return from_object(SampleConfig, values, "sample")


SHARES = st.floats(0, 1)
MASKS = st.builds(
    MaskConfig,
    strokes=st.floats(0.1, 3),
    objects=st.floats(0, 3),
    areas=st.sampled_from([FVI_AREAS, ((0.1, 0.2),)]),
    still=SHARES,
    absent=st.floats(0, 0.5),
)
SAMPLES = st.builds(
    SampleConfig,
    frames=st.integers(1, 30),
    size=st.sampled_from([(8, 8), (432, 240)]),
    history=st.integers(0, 9),
    masks=MASKS,
    complete_flow=SHARES,
    plain=SHARES,
    scale_max=st.none() | st.floats(1, 4),
)


@settings(deadline=None)
@given(SAMPLES)
def test_settings_survive_json(config: SampleConfig) -> None:
    assert read(json.loads(json.dumps(asdict(config)))) == config


def test_defaults_where_nothing_is_said() -> None:
    assert read({}) == SampleConfig()
    assert read({"masks": {"text": 0}}).masks == MaskConfig(text=0)


def test_the_groups_of_fvi() -> None:
    assert [f"{100 * low:.0f}-{100 * high:.0f}" for low, high in FVI_AREAS] == [
        "5-15",
        "15-25",
        "25-35",
        "35-45",
        "45-55",
        "55-65",
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"frames": 0}, "frames is 0, expected 1 or more"),
        ({"history": -1}, "history is -1"),
        ({"size": [100, 64]}, "multiples of 8"),
        ({"size": [64]}, "expected 2 entries"),
        ({"size": 64}, "size is 64"),
        ({"flip": 1.5}, "flip is 1.5, expected 0 to 1"),
        ({"scale_min": 0}, "0 < scale_min <= scale_max"),
        ({"scale_min": 2, "scale_max": 1}, "0 < scale_min <= scale_max"),
        ({"frames": "7"}, "expected a whole number"),
        ({"zoom": 1}, "unknown fields zoom"),
        ({"masks": {"holes": 1}}, "unknown fields holes"),
        ({"masks": 3}, "a JSON object was expected"),
        ({"masks": {"blobs": -1}}, "blobs is -1"),
        ({"masks": {"strokes": 0, "blobs": 0, "boxes": 0, "text": 0}}, "all weights are 0"),
        ({"masks": {"areas": []}}, "areas are"),
        ({"masks": {"areas": [[0.5, 0.2]]}}, "areas are"),
        ({"masks": {"areas": [0.5]}}, "areas is 0.5"),
        ({"masks": {"absent": 0.6}}, "absent is 0.6"),
        ({"masks": {"still": 2}}, "still is 2"),
    ],
)
def test_values_that_cannot_be(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(values)
