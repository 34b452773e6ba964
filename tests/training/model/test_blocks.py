import pytest
import torch
import torch.nn.functional as F

from ptfan.training.model.align import MotionPyramid, shift_and_align
from ptfan.training.model.blocks import (
    Bottleneck,
    GatedDecoderLayer,
    GatedEncoderLayer,
    Pointwise,
    convolution,
    leaky,
    upsample,
)
from ptfan.training.model.timeline import ClipTimeline, Place

HERE = Place(1, 1)


@pytest.fixture
def motion(make_clip):
    return MotionPyramid.build(*list(make_clip(3, 8, 8).values())[3:]).at(1)


@pytest.fixture
def time(make_clip):
    return ClipTimeline(MotionPyramid.build(*list(make_clip(3, 8, 8).values())[3:]), lookahead=1)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def test_a_1x1_convolution_may_come_before_the_enlargement():
    """The published order is enlarge, convolve, rectify; ours costs a quarter and gives the same."""
    layer, x = Pointwise(6, 5), torch.randn(2, 6, 4, 7)
    assert layer.conv.bias is not None
    torch.nn.init.normal_(layer.conv.bias)
    published = F.leaky_relu(layer.conv(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
    torch.testing.assert_close(upsample(layer(x), 2), published)


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(1, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 4), (7, 2, 1)])
def test_convolutions_keep_the_size(kernel, stride, dilation):
    layer = convolution(3, 4, kernel, stride=stride, dilation=dilation, bias=True)
    assert layer(torch.zeros(1, 3, 16, 24)).shape == (1, 4, 16 // stride, 24 // stride)
    assert layer.bias is not None
    assert not layer.bias.any()


def test_the_encoders_gate_sees_the_aligned_features(motion, time):
    layer, x = GatedEncoderLayer(16, 5, place=HERE, fold=8, convention="pixel"), torch.randn(3, 16, 8, 8)
    aligned = shift_and_align(x, motion, 2, "pixel")
    feature, gate = (F.conv2d(aligned, weight) for weight in layer.conv.weight.split(5))
    torch.testing.assert_close(layer(x, time)[0], torch.sigmoid(gate) * feature)


@pytest.mark.parametrize("activate", [True, False])
def test_the_decoders_gate_sees_the_features_themselves(motion, time, activate):
    layer = GatedDecoderLayer(8, 5, 3, place=HERE, fold=4, convention="pixel", activate=activate)
    assert layer.feature.bias is not None
    torch.nn.init.normal_(layer.feature.bias)
    x = torch.randn(3, 8, 8, 8)
    feature = layer.feature(shift_and_align(x, motion, 2, "pixel"))
    feature = leaky(feature) if activate else feature
    assert layer.gate is not None
    torch.testing.assert_close(layer(x, time), torch.sigmoid(layer.gate(x)) * feature)


def test_without_a_gate_the_feature_is_the_answer(motion, time):
    x = torch.randn(3, 16, 8, 8)
    aligned = shift_and_align(x, motion, 2, "pixel")
    encoder = GatedEncoderLayer(16, 5, place=HERE, fold=8, convention="pixel", gated=False)
    torch.testing.assert_close(encoder(x, time)[0], F.conv2d(aligned, encoder.conv.weight))
    decoder = GatedDecoderLayer(16, 5, 3, place=HERE, fold=8, convention="pixel", gated=False)
    torch.testing.assert_close(decoder(x, time), leaky(decoder.feature(aligned)))
    assert [name for name, _ in decoder.named_parameters()] == ["feature.weight", "feature.bias"]


@pytest.mark.parametrize(("stride", "shortcut"), [(1, False), (1, True), (2, True)])
def test_a_bottleneck_with_nothing_to_add_is_its_identity(time, stride, shortcut):
    block = Bottleneck(
        16, 4, 16, stride=stride, dilation=1, shortcut=shortcut, place=HERE, fold=8, convention="pixel"
    ).eval()
    torch.nn.init.zeros_(block.norm3.weight)
    x = torch.randn(3, 16, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(block(x, time), F.relu(block.shortcut(x)))
        assert block(x, time).shape == (3, 16, 8 // stride, 8 // stride)
