from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ptfan.engine.errors import InputError, InputNotFoundError, ModelError
from ptfan.training.colour_completion.config import ColourTrainConfig
from ptfan.training.data.sample_config import FVI_AREAS, MaskConfig, SampleConfig
from ptfan.training.flow_completion.config import FlowTrainConfig
from ptfan.training.generator.config import LossConfig, TrainConfig
from ptfan.training.model.config import preset
from ptfan.training.runs.config import CONFIGS, OptimizerConfig, ScheduleConfig
from ptfan.training.text_finding.config import TextTrainConfig


def test_comes_back_from_json_as_it_was() -> None:
    config = TrainConfig(
        changes={"alignment": "shift"},
        steps=7,
        sample=SampleConfig(size=(64, 40), masks=MaskConfig(areas=FVI_AREAS)),
        losses=LossConfig(style=2.0, hole_mean="frame"),
        optimizer=OptimizerConfig(learning_rate=0.25, amsgrad=True),
        schedule=ScheduleConfig(kind="step"),
        precision="bf16",
    )
    assert TrainConfig.from_json(config.to_json()) == config


def test_fields_left_out_keep_their_defaults() -> None:
    assert TrainConfig.from_json('{"steps": 3, "losses": {"style": 1}}') == TrainConfig(
        steps=3, losses=LossConfig(style=1.0)
    )


def test_reads_a_file_or_a_name(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"batch": 5, "sample": {"size": [80, 48]}}', encoding="utf-8")
    assert TrainConfig.read(path) == TrainConfig(batch=5, sample=SampleConfig(size=(80, 48)))
    assert TrainConfig.read("s").preset == "s"
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_text('{"batch": 5}', encoding=encoding)
        assert TrainConfig.read(path) == TrainConfig(batch=5)
    path.write_bytes(b"{\xff")
    with pytest.raises(InputError, match="training config: is no JSON"):
        TrainConfig.read(path)
    with pytest.raises(
        InputNotFoundError, match=r"other\.json is not there; expected a JSON file, or one of paper-davis,"
    ):
        TrainConfig.read(tmp_path / "other.json")


def test_the_configurations_of_the_package_can_be_read() -> None:
    files = sorted(path.stem for path in CONFIGS.glob("*.json"))
    helpers = (FlowTrainConfig, ColourTrainConfig, TextTrainConfig)
    assert files == sorted(name for kind in (TrainConfig, *helpers) for name in kind.names)
    for kind in helpers:
        for name in kind.names:
            kind.read(name)
    for name in TrainConfig.names:
        config = TrainConfig.read(name)
        assert config.architecture() == replace(preset(config.preset), **config.changes)
        if config.architecture().lookahead is not None:  # else it would learn from what a stream does not know
            assert config.sample.lookahead == config.architecture().lookahead


def test_the_paper_s_stages() -> None:
    first, second, davis = (TrainConfig.read(f"paper-{name}") for name in ("fvi-1", "fvi-2", "davis"))
    for config in (first, second, davis):
        assert (config.preset, config.batch, config.sample.frames, config.sample.size) == ("r50", 8, 7, (432, 240))
        assert (config.losses.frame, config.losses.perceptual, config.losses.style) == (1, 1, 2)
        assert (config.optimizer.amsgrad, config.optimizer.weight_decay) == (True, 0)
        assert config.sample.complete_flow == 1
        assert config.sample.masks.areas == FVI_AREAS
        assert config.losses.backbone == "vgg16"
    assert (first.losses.hole, first.losses.adversarial, first.optimizer.learning_rate) == (0, 0, 5e-4)
    assert (second.losses.hole, second.losses.adversarial, second.optimizer.learning_rate) == (6, 1, 2.5e-4)
    assert second.schedule == first.schedule == ScheduleConfig(kind="step", warmup=0, decay=0.97, decay_every=1000)
    assert replace(davis, steps=second.steps) == second


def test_the_generator_is_the_preset_with_its_changes() -> None:
    config = TrainConfig(changes={"alignment": "shift", "aligned_parts": ["stage4"]})
    assert config.architecture() == preset("s", alignment="shift", aligned_parts=("stage4",))
    with pytest.raises(ModelError, match="unknown fields colour"):
        TrainConfig(changes={"colour": 1})
    with pytest.raises(ModelError, match="no preset is called 'xl'"):
        TrainConfig(preset="xl")


def test_some_settings_can_be_changed_by_themselves() -> None:
    config = TrainConfig(losses=LossConfig(style=1.0))
    changed = config.changed(steps=3, backbone="vgg16-st")
    assert changed == replace(config, steps=3, losses=LossConfig(style=1.0, backbone="vgg16-st"))
    assert config.changed() == config


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"steps": 0}, "steps is 0, expected 1 or more"),
        ({"batch": -1}, "batch is -1"),
        ({"seed": -1}, "seed is -1, expected 0 to"),
        ({"seed": 1 << 64}, "seed is 18446744073709551616, expected 0 to"),
        ({"batch": 3, "accumulate": 2}, "batch is 3, expected a multiple of 2 passes"),
        ({"average": 1.0}, "average is 1.0, expected 0 to below 1"),
        ({"freeze_norm_after": 1.5}, "freeze_norm_after is 1.5, expected 0 to 1"),
        ({"precision": "fp8"}, "training config: precision is 'fp8', expected one of fp32, bf16, fp16"),
        ({"schedule": {"warmup": -1}}, "schedule: warmup is -1"),
        ({"schedule": {"decay": 2}}, "schedule: decay is 2.0, expected 0 to 1"),
        ({"schedule": {"kind": "none"}}, "training config: schedule: kind is 'none', expected one of cosine, step"),
        ({"optimizer": {"learning_rate": 0}}, "optimizer: learning_rate is 0.0, expected more than 0"),
        ({"optimizer": {"clip_gradient": -1}}, "optimizer: clip_gradient is -1.0"),
        ({"losses": {"style": -1}}, "losses: style is -1.0, expected 0 or more"),
        ({"losses": {"hole": 0, "own_hole": 0}}, "losses: nothing looks into the hole"),
        ({"losses": {"view_side": 8}}, "losses: view_side is 8, expected 0 or at least 32 pixels"),
        ({"sample": {"size": [100, 64]}}, "size is (100, 64), expected multiples of 8"),
    ],
)
def test_refuses_what_is_out_of_range(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        TrainConfig.from_json(json.dumps(change))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", "7", '{"colour": 1}', '{"steps": "many"}', '{"steps": 1.5}', '{"losses": 8}', '{"seed": true}'],
)
def test_refuses_what_is_no_configuration_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        TrainConfig.from_json(text)
    assert "training config" in str(caught.value)
    assert "\n" not in str(caught.value)
