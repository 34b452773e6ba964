from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.training.features import NAMES, BlurPool, FeatureNetwork, features

State = dict[str, torch.Tensor]
ALEXNET = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
"""Place in torchvision's row of layers: outputs, inputs, kernel."""
TOLERANT = {0: "net.slice1.0", 3: "net.slice2.5", 6: "net.slice3.9", 8: "net.slice4.11", 10: "net.slice5.13"}
VGG_PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
VGG_WIDTHS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def alexnet_state(tolerant: bool = False) -> State:
    generator = torch.Generator().manual_seed(1)
    state: State = {}
    for place, (outputs, inputs, kernel) in ALEXNET.items():
        name = TOLERANT[place] if tolerant else f"features.{place}"
        weight = torch.randn(outputs, inputs, kernel, kernel, generator=generator)
        state[f"{name}.weight"] = weight * (2 / (inputs * kernel**2)) ** 0.5
        state[f"{name}.bias"] = torch.randn(outputs, generator=generator) * 0.1
    if tolerant:
        state |= {"net.slice1.1.filt": torch.zeros(64, 1, 3, 3), "lin0.model.1.weight": torch.zeros(1, 64, 1, 1)}
    else:
        state["classifier.1.weight"] = torch.zeros(2, 2)
    return state


def saved(state: Mapping[str, torch.Tensor], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state), path)
    return path


def normalised(pictures: torch.Tensor) -> torch.Tensor:
    mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (pictures - mean[:, None, None]) / spread[:, None, None]


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 48, 56, generator=torch.Generator().manual_seed(0))


def test_alexnet_is_its_layers_one_by_one(tmp_path: Path, pictures: torch.Tensor) -> None:
    state = alexnet_state()
    network = features(saved(state, tmp_path / "alexnet.pth"))
    x, expected = normalised(pictures), {}
    for index, place in enumerate(ALEXNET, 1):
        if index in (2, 3):
            x = F.max_pool2d(x, 3, stride=2)
        stride, padding = (4, 2) if index == 1 else (1, 2 if index == 2 else 1)
        x = F.conv2d(x, state[f"features.{place}.weight"], state[f"features.{place}.bias"], stride, padding).relu()
        expected[f"relu{index}"] = x
    found = network(pictures)
    assert network.name == "alexnet"
    assert list(found) == list(expected) == list(network.layers)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
        assert value.any()


def test_the_tolerant_alexnet_blurs_before_each_stride(tmp_path: Path, pictures: torch.Tensor) -> None:
    state = alexnet_state(tolerant=True)
    network = features(saved(state, tmp_path / "alexnet.pth"))
    x, blur = normalised(pictures), BlurPool()
    x = blur(F.conv2d(x, state["net.slice1.0.weight"], state["net.slice1.0.bias"], padding=2)).relu()
    x = blur(F.max_pool2d(x, 3, stride=1))
    x = F.conv2d(x, state["net.slice2.5.weight"], state["net.slice2.5.bias"], padding=2).relu()
    assert network.name == "alexnet-st"
    torch.testing.assert_close(network(pictures, ["relu2"])["relu2"], x)


def test_the_blur_by_hand() -> None:
    x = np.random.default_rng(0).random((1, 2, 5, 6))
    padded = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)), mode="reflect")
    weights = np.outer([1, 2, 1], [1, 2, 1]) / 16
    expected = np.zeros((1, 2, 4, 4))
    for row in range(4):
        for column in range(4):
            region = padded[..., 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            expected[..., row, column] = (region * weights).sum(axis=(-1, -2))
    np.testing.assert_allclose(BlurPool()(torch.from_numpy(x)).numpy(), expected, atol=1e-12)


def test_vgg_is_its_layers_one_by_one(tmp_path: Path) -> None:
    generator, inputs = torch.Generator().manual_seed(1), 3
    state: State = {}
    for place, width in zip(VGG_PLACES, VGG_WIDTHS, strict=True):
        state[f"features.{place}.weight"] = torch.randn(width, inputs, 3, 3, generator=generator) / (inputs * 4) ** 0.5
        state[f"features.{place}.bias"] = torch.zeros(width)
        inputs = width
    path = tmp_path / "vgg.safetensors"
    save_file(state, path)
    pictures = torch.rand(1, 3, 32, 32, generator=generator)
    found = features(path)(pictures)
    x, names = normalised(pictures), {3: "relu1_2", 8: "relu2_2", 15: "relu3_3", 22: "relu4_3", 29: "relu5_3"}
    assert list(found) == list(names.values())
    for place in range(30):
        if place in VGG_PLACES:
            x = F.conv2d(x, state[f"features.{place}.weight"], padding=1).relu()
        elif place in (4, 9, 16, 23):
            x = F.max_pool2d(x, 2)
        if place in names:
            torch.testing.assert_close(found[names[place]], x)


def test_gradients_pass_through_and_nothing_is_trained(tmp_path: Path, pictures: torch.Tensor) -> None:
    network = features(saved(alexnet_state(), tmp_path / "alexnet.pth"))
    pictures.requires_grad_()
    network(pictures, ["relu3"])["relu3"].sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.any()
    assert not network.training
    assert [name for name, value in network.named_parameters() if value.requires_grad] == []


def test_deeper_layers_than_asked_for_are_not_computed(tmp_path: Path, pictures: torch.Tensor) -> None:
    network = features(saved(alexnet_state(), tmp_path / "alexnet.pth"))
    network.blocks["relu3"].register_forward_hook(lambda *_: pytest.fail("computed in vain"))
    assert list(network(pictures, ["relu2", "relu1"])) == ["relu1", "relu2"]
    with pytest.raises(ModelError, match="feature network alexnet: no layer relu9, expected relu1, "):
        network(pictures, ["relu9"])


def test_no_random_number_is_used_up(tmp_path: Path) -> None:
    path = saved(alexnet_state(), tmp_path / "alexnet.pth")
    before = torch.get_rng_state()
    features(path)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give torch.hub an empty cache and hide every installed distribution; return the only folder to import from."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    return tmp_path / "site"


def test_names_are_found_where_their_tools_put_them(tmp_path: Path, nothing_installed: Path) -> None:
    saved(alexnet_state(), tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth")
    saved(alexnet_state(True), nothing_installed / "stlpips_pytorch/weights/vST0.0/alex_shift_tolerant.pth")
    (nothing_installed / "stlpips_pytorch" / "__init__.py").write_text("raise RuntimeError('its code was run')")
    information = nothing_installed / "stlpips_pytorch-0.0.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: stlpips-pytorch\nVersion: 0.0.2\n")
    assert [features(name).name for name in ("alexnet", "alexnet-st")] == ["alexnet", "alexnet-st"]


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("name", NAMES)
def test_missing_weights_are_refused_by_name_with_a_way_to_get_them(name: str) -> None:
    with pytest.raises(InputNotFoundError, match=rf"^feature network {name}: no weights here; .*pip install") as caught:
        features(name)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"none\.pth: no weights here; expected a file, or one of vgg16, "):
        features(tmp_path / "none.pth")


def test_other_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no weights of VGG-16 or AlexNet"):
        features(saved({"layer.weight": torch.zeros(1)}, tmp_path / "other.pth"))
    state = alexnet_state()
    state["features.3.weight"] = torch.zeros(192, 64, 3, 3)
    with pytest.raises(ModelError, match=r"convolution 1 has shapes \(192, 64, 3, 3\) and \(192,\), expected"):
        features(saved(state, tmp_path / "odd.pth"))


def test_the_network_is_a_module_that_moves_whole(tmp_path: Path) -> None:
    network = features(saved(alexnet_state(), tmp_path / "alexnet.pth")).to(torch.float64)
    assert isinstance(network, FeatureNetwork)
    assert network.mean.dtype == network.spread.dtype == torch.float64
