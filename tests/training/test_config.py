from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.training import configs
from ptfan.training.config import TrainConfig
from ptfan.training.model.config import PRESETS


def test_comes_back_from_json_as_it_was() -> None:
    config = TrainConfig(steps=7, size=(64, 40), learning_rate=0.25, bfloat16=False)
    assert TrainConfig.from_json(config.to_json()) == config


def test_fields_left_out_keep_their_defaults() -> None:
    assert TrainConfig.from_json('{"steps": 3}') == TrainConfig(steps=3)


def test_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"batch": 5, "size": [80, 48]}', encoding="utf-8")
    assert TrainConfig.read(path) == TrainConfig(batch=5, size=(80, 48))
    with pytest.raises(InputNotFoundError, match=r"other\.json is not there"):
        TrainConfig.read(tmp_path / "other.json")


def test_the_configurations_of_the_package_can_be_read() -> None:
    files = sorted(Path(configs.__file__).parent.glob("*.json"))
    assert files
    for file in files:
        assert TrainConfig.read(file).preset in PRESETS


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"steps": 0}, "steps is 0, expected 1 or more"),
        ({"batch": -1}, "batch is -1"),
        ({"frames": 0}, "frames is 0"),
        ({"warmup": 0}, "warmup is 0"),
        ({"size": (100, 64)}, r"size is (100, 64), expected multiples of 8"),
        ({"size": (0, 64)}, "size is (0, 64)"),
        ({"size": (64, -8)}, "size is (64, -8)"),
        ({"average": 1.0}, "average is 1.0, expected 0 to below 1"),
    ],
)
def test_refuses_what_is_out_of_range(change: dict[str, Any], reason: str) -> None:
    for build in (lambda: TrainConfig(**change), lambda: TrainConfig.from_json(json.dumps(change))):
        with pytest.raises(InputError) as caught:
            build()
        assert reason in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", '{"colour": 1}', '{"steps": "many"}', '{"size": 8}'])
def test_refuses_what_is_no_configuration_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        TrainConfig.from_json(text)
    assert "training config" in str(caught.value)
    assert "\n" not in str(caught.value)
