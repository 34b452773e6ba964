from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ptfan.engine.errors import ModelError
from ptfan.training.evaluation.metrics.lpips import PerceptualDistance
from ptfan.training.features import features

WIDTHS = (64, 192, 384, 256, 256)
LAYERS = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
"""Place in torchvision's AlexNet: outputs, inputs, kernel."""
TOLERANT = ("net.slice1.0", "net.slice2.5", "net.slice3.9", "net.slice4.11", "net.slice5.13")


def trunk(tolerant: bool) -> dict[str, Tensor]:
    generator, state = torch.Generator().manual_seed(0), {}
    for index, (place, (outputs, inputs, kernel)) in enumerate(LAYERS.items()):
        name = TOLERANT[index] if tolerant else f"features.{place}"
        weight = torch.randn(outputs, inputs, kernel, kernel, generator=generator)
        state[f"{name}.weight"] = weight * (2 / (inputs * kernel**2)) ** 0.5
        state[f"{name}.bias"] = torch.zeros(outputs)
    if tolerant:
        state["net.slice1.1.filt"] = torch.zeros(64, 1, 3, 3)
    return state


def heads() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {f"lin{k}.model.1.weight": torch.rand(1, n, 1, 1, generator=generator) for k, n in enumerate(WIDTHS)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    contents = {"trunk": trunk(False), "heads": heads(), "tolerant": trunk(True) | heads()}
    for name, state in contents.items():
        torch.save(state, folder / f"{name}.pth")
    return {name: folder / f"{name}.pth" for name in contents}


def pictures() -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 256, (72, 80, 3), dtype=np.uint8)
    hole = np.zeros((72, 80), bool)
    hole[20:40, 30:60] = True
    result = np.where(hole[..., None], rng.integers(0, 256, truth.shape, dtype=np.uint8), truth)
    return result, truth, hole


def by_the_formula(network: str | Path, result: NDArray[np.uint8], truth: NDArray[np.uint8]) -> list[NDArray]:
    """Return the maps of the distance at each layer, one pixel at a time."""
    weights, found = list(heads().values()), []
    tensors = [torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255 for picture in (result, truth)]
    first, second = (features(network)(tensor).values() for tensor in tensors)
    for a, b, weight in zip(first, second, weights, strict=True):
        distance = np.zeros(a.shape[2:])
        for y, x in np.ndindex(*distance.shape):
            u, v = a[0, :, y, x].numpy(), b[0, :, y, x].numpy()
            difference = u / (np.linalg.norm(u) + 1e-10) - v / (np.linalg.norm(v) + 1e-10)
            distance[y, x] = np.sum(weight[0, :, 0, 0].numpy() * difference**2)
        found.append(distance)
    return found


@pytest.mark.parametrize(("network", "name"), [("trunk", "LPIPS"), ("tolerant", "ST-LPIPS")])
def test_it_is_the_formula(files: dict[str, Path], network: str, name: str) -> None:
    result, truth, hole = pictures()
    distance = PerceptualDistance(files[network], files["heads"] if network == "trunk" else None)
    assert distance.name == name
    whole, inside = distance([(result, truth, hole)])
    maps = by_the_formula(files[network], result, truth)
    assert whole == pytest.approx([sum(value.mean() for value in maps)], rel=1e-4)
    enlarged = [
        F.interpolate(torch.from_numpy(value)[None, None], hole.shape, mode="bilinear", align_corners=False)
        for value in maps
    ]
    assert inside == pytest.approx([sum(float(value[0, 0].numpy()[hole].mean()) for value in enlarged)], rel=1e-4)
    assert inside[0] > whole[0] > 0


def test_equal_pictures_have_no_distance(files: dict[str, Path]) -> None:
    _, truth, hole = pictures()
    whole, inside = PerceptualDistance(files["tolerant"])([(truth, truth, hole), (truth, truth, hole & False)])
    assert whole == [0.0, 0.0]
    assert inside[0] == 0.0
    assert math.isnan(inside[1])


def test_missing_or_other_heads_are_refused(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no weights of channels .* give LPIPS's heads as well"):
        PerceptualDistance(files["trunk"])
    other = tmp_path / "other.pth"
    torch.save({"lin0.model.1.weight": torch.zeros(1, 3, 1, 1)}, other)
    with pytest.raises(ModelError, match=r"weights of 3 channels, expected \[64, 192, 384, 256, 256\]"):
        PerceptualDistance(files["trunk"], other)
