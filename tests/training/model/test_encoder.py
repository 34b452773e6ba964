import pytest
import torch

from ptfan.training.model import preset
from ptfan.training.model.align import MotionPyramid
from ptfan.training.model.blocks import Bottleneck
from ptfan.training.model.encoder import Encoder, convention_of
from ptfan.training.model.timeline import ClipTimeline, Place


@pytest.mark.parametrize("name", ["r50", "s"])
def test_features_come_out_at_their_strides(name):
    config = preset(name)
    with torch.device("meta"):
        encoder = Encoder(config).eval()
        flow, validity = torch.empty(2, 2, 16, 32), torch.empty(2, 1, 16, 32)
        time = ClipTimeline(MotionPyramid.build(flow, flow, validity, validity), config.layers_ahead)
        features = encoder(torch.empty(2, 5, 16, 32), time)
    assert features.stem.shape == (2, config.stem_width, 8, 16)
    strides = (4, 8, 8, 8)
    for feature, stage, stride in zip(features[1:], config.stages, strides, strict=True):
        assert feature.shape == (2, stage.channels, 16 // stride, 32 // stride)


def test_r50_is_the_dilated_resnet():
    with torch.device("meta"):
        encoder = Encoder(preset("r50"))
    blocks = [module for module in encoder.modules() if isinstance(module, Bottleneck)]
    assert [block.spatial.dilation[0] for block in blocks] == [1] * 3 + [1] * 4 + [1] + [2] * 5 + [2, 4, 4]
    assert [block.spatial.stride[0] for block in blocks] == [1] * 3 + [2] + [1] * 12
    assert [isinstance(block.shortcut, torch.nn.Sequential) for block in blocks] == [
        index in {0, 3, 7, 13} for index in range(16)
    ]
    assert [block.reduce.fold * 8 for block in blocks] == [block.reduce.conv.in_channels for block in blocks]


def test_temporal_layers_are_counted_along_the_deepest_path():
    with torch.device("meta"):
        encoder = Encoder(preset("r50"))
    places = [module.reduce.place for module in encoder.modules() if isinstance(module, Bottleneck)]
    assert places == [Place(depth, 4 if depth <= 4 else 8) for depth in range(1, 17)]


def test_convention_of_a_part_that_does_not_align_is_none():
    config = preset("s", convention="tsam", aligned_parts=("stage4",))
    assert convention_of(config, "stage4") == "tsam"
    assert convention_of(config, "decoder") is None
