from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ptfan.engine.errors import InputError, InputNotFoundError, ModelError
from ptfan.training.evaluation.metrics.i3d import I3D, Inception, Unit, load_i3d


@pytest.fixture(scope="module")
def network() -> I3D:
    torch.manual_seed(0)
    return randomised(I3D())


def randomised(network: I3D) -> I3D:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    return network


def same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad as TensorFlow does: ceil(size / stride) outputs, what is odd goes to the end."""
    pads: list[int] = []
    for size in x.shape[:1:-1]:
        outputs = -(-size // stride)
        total = max((outputs - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


@pytest.mark.parametrize("sides", [(4, 10, 12), (5, 9, 13)])
def test_a_unit_is_convolution_normalisation_rectifier(sides: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    unit, x = Unit(3, 4, 7, stride=2).eval(), torch.randn(1, 3, *sides)
    unit.bn.running_mean.normal_()  # type: ignore[union-attr]
    y = F.conv3d(same(x, 7, 2), unit.conv3d.weight, stride=2)
    assert y.shape[2:] == tuple(-(-side // 2) for side in sides)
    torch.testing.assert_close(unit(x, True), unit.bn(y).relu())
    centred = (y - y.mean(dim=(0, 2, 3, 4), keepdim=True)) / (
        y.var(dim=(0, 2, 3, 4), keepdim=True, unbiased=False) + 0.001
    ).sqrt()
    torch.testing.assert_close(unit(x, False), centred.relu(), atol=1e-5, rtol=1e-4)


def test_an_inception_block_has_four_branches() -> None:
    torch.manual_seed(0)
    block, x = Inception(4, (1, 2, 3, 4, 5, 6)), torch.randn(1, 4, 3, 5, 6).relu()
    y = block(x, False)
    assert y.shape == (1, 1 + 3 + 5 + 6, 3, 5, 6)
    torch.testing.assert_close(y[:, :1], block.b0(x, False))
    torch.testing.assert_close(y[:, 4:9], block.b2b(block.b2a(x, False), False))
    pooled = F.max_pool3d(F.pad(x, (1,) * 6), 3, stride=1)
    torch.testing.assert_close(y[:, 9:], block.b3b(pooled, False))


def test_the_names_are_those_of_the_published_file(network: I3D) -> None:
    state = network.state_dict()
    shapes = {
        "Conv3d_1a_7x7.conv3d.weight": (64, 3, 7, 7, 7),
        "Conv3d_1a_7x7.bn.running_mean": (64,),
        "Conv3d_2b_1x1.conv3d.weight": (64, 64, 1, 1, 1),
        "Conv3d_2c_3x3.conv3d.weight": (192, 64, 3, 3, 3),
        "Mixed_3b.b1b.conv3d.weight": (128, 96, 3, 3, 3),
        "Mixed_4f.b3b.bn.bias": (128,),
        "Mixed_5c.b0.conv3d.weight": (384, 832, 1, 1, 1),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    assert sum(value.numel() for name, value in network.named_parameters()) == 12_287_264


def test_features_of_a_clip(network: I3D) -> None:
    clip = np.random.default_rng(0).integers(0, 256, (9, 48, 64, 3), dtype=np.uint8)
    features = network.features(list(clip))
    assert features.shape == (1024,)
    assert features.dtype == np.float64
    assert (features >= 0).all()
    direct = network(torch.from_numpy(clip).permute(3, 0, 1, 2)[None].float() / 255)
    np.testing.assert_allclose(features, direct[0].numpy(), rtol=1e-5)
    assert np.abs(features - network.features(list(clip[::-1]))).max() > 1e-4


def test_a_clip_of_one_place_has_no_statistics(network: I3D) -> None:
    with pytest.raises(InputError, match="VFID: a clip of 8 frames of 32x32 is too small, expected more"):
        network.features([np.zeros((32, 32, 3), np.uint8)] * 8)


def test_a_file_is_read_and_its_head_is_left_out(network: I3D, tmp_path: Path) -> None:
    path = tmp_path / "i3d_rgb_imagenet.pt"
    extra = {"logits.conv3d.weight": torch.zeros(400, 1024, 1, 1, 1), "logits.conv3d.bias": torch.zeros(400)}
    torch.save({**network.state_dict(), **extra}, path)
    clip = np.random.default_rng(0).integers(0, 256, (3, 48, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(load_i3d(path).features(list(clip)), network.features(list(clip)))
    stored = load_i3d(path, stored_statistics=True).features(list(clip))
    assert np.abs(stored - network.features(list(clip))).max() > 1e-3


def test_other_weights_are_refused(network: I3D, tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    state = network.state_dict()
    state["Mixed_3b.b0.bn.bias"] = torch.zeros(3)
    torch.save(state, path)
    with pytest.raises(ModelError, match=r"Mixed_3b.b0.bn.bias is \(3,\), expected \(64,\): no weights of I3D"):
        load_i3d(path)
    del state["Mixed_3b.b0.bn.bias"]
    torch.save(state, path)
    with pytest.raises(ModelError, match=r"Mixed_3b\.b0\.bn\.bias is nothing"):
        load_i3d(path)
    with pytest.raises(InputNotFoundError, match="no such file"):
        load_i3d(tmp_path / "none.pt")
