import json
from dataclasses import replace
from typing import get_args

import pytest
import torch

from ptfan.engine.errors import ModelError
from ptfan.training.model import PRESETS, Generator, GeneratorConfig, preset
from ptfan.training.model.config import AlignedPart, Stage


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(
    "changes",
    [{}, {"convention": "tsam"}, {"alignment": "shift"}, {"aligned_parts": ("stage4", "decoder")}, {"fill": "zero"}],
    ids=str,
)
def test_json_brings_a_config_back(name, changes):
    config = preset(name, **changes)
    again = GeneratorConfig.from_json(config.to_json())
    assert again == config
    assert hash(again) == hash(config)


def test_fields_left_out_of_the_json_have_their_defaults():
    values = json.loads(preset("s").to_json())
    for field in ("convention", "aligned_parts", "alignment"):
        del values[field]
    assert GeneratorConfig.from_json(json.dumps(values)) == preset("s")


def broken(**changes):
    return json.dumps(json.loads(preset("s").to_json()) | changes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no JSON"),
        ("[1]", "[1] stands where a JSON object"),
        ("null", "None stands where a JSON object"),
        ("{}", "name is missing"),
        (broken(colour=1, size=2), "unknown fields colour, size"),
        (broken(stages=[]), "stages is [], expected 4 entries"),
        (broken(stages=7), "stages is 7"),
        (broken(stages=[{"width": 8}] * 4), "dilations is missing"),
        (broken(stem_width="wide"), "stem_width is 'wide', expected a whole number"),
        (broken(decoder="deep"), "decoder is 'deep', expected one of paper, light"),
        (broken(aligned_parts=["stage5"]), "aligned_parts is 'stage5'"),
    ],
)
def test_json_that_is_no_config_is_refused_in_one_line(text, told):
    with pytest.raises(ModelError) as caught:
        GeneratorConfig.from_json(text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


STAGES = preset("s").stages


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"decoder": "none"}, "decoder is 'none', expected one of paper, light"),
        ({"alignment": "warp"}, "alignment is 'warp', expected one of aligned, shift"),
        ({"convention": "centre"}, "convention is 'centre', expected one of pixel, tsam"),
        ({"fill": "grey"}, "fill is 'grey', expected one of zero, propagated"),
        ({"aligned_parts": ("head",)}, "aligned_parts is 'head'"),
        ({"stages": STAGES[:3]}, "stage strides are (1, 2, 1)"),
        ({"stages": (*STAGES[:3], replace(STAGES[3], stride=2))}, "stage strides are (1, 2, 1, 2)"),
        ({"stages": (*STAGES[:3], Stage(64, ()))}, "dilations ()"),
        ({"stages": (*STAGES[:3], Stage(64, (2, 0)))}, "dilations (2, 0)"),
        ({"stem_kernel": 4}, "stem_kernel is 4, expected an odd number"),
        ({"stem_kernel": -1}, "stem_kernel is -1"),
        ({"encoder_fold": 1}, "a fold of 1 / 1 of the channels"),
        ({"decoder_fold": 0}, "a fold of 1 / 0 of the channels"),
        ({"stem_width": 4}, "a width of 4 channels is too small"),
        ({"decoder": "paper"}, "expected stage 1's 96 twice"),
    ],
)
def test_a_config_out_of_range_is_refused_in_one_line(changes, told):
    with pytest.raises(ModelError) as caught:
        preset("s", **changes)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(ModelError, match=r"no preset is called 'xl', expected one of r50, s"):
        preset("xl")


def test_temporal_layers():
    assert preset("r50").temporal_layers == 19
    assert preset("r50").encoder_layers == 16
    assert preset("s").temporal_layers == 11


@pytest.mark.parametrize(
    ("changes", "aligned"),
    [
        ({}, {"stage1", "stage2", "stage3", "stage4", "decoder"}),
        ({"alignment": "shift"}, set()),
        ({"aligned_parts": ("stage4",)}, {"stage4"}),
        ({"alignment": "shift", "aligned_parts": ("stage4",)}, set()),
    ],
)
def test_which_parts_align(changes, aligned):
    config = preset("s", **changes)
    assert {part for part in get_args(AlignedPart) if config.aligns(part)} == aligned


@pytest.mark.parametrize("changes", [{"alignment": "shift"}, {"convention": "tsam"}, {"aligned_parts": ()}])
def test_ablations_have_the_same_parameters(changes):
    assert shapes(preset("s", **changes)) == shapes(preset("s"))


def shapes(config):
    with torch.device("meta"):
        return {key: value.shape for key, value in Generator(config).state_dict().items()}
