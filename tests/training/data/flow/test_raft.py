from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ptfan.engine.errors import InputError, InputNotFoundError, MissingExtraError
from ptfan.training.data.flow.computing import choose_method
from ptfan.training.data.flow.raft import load_raft


class Stub(nn.Module):
    """Has RAFT's first convolution and its way of being called; its flow tells what it was given."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.feature_encoder = nn.Module()
        self.feature_encoder.convnormrelu = nn.Sequential(nn.Conv2d(3, width, 7))
        self.width = width

    def forward(self, first: torch.Tensor, second: torch.Tensor, num_flow_updates: int) -> list[torch.Tensor]:
        assert first.shape[2] % 8 == 0
        assert first.shape[3] % 8 == 0
        assert min(first.shape[2:]) >= 128
        assert -1 <= float(first.min()) <= float(first.max()) <= 1
        return [first[:, :2] * 0, torch.stack([first[:, 0], second[:, 1]], dim=1)]


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a library in torchvision's place: the real one is no part of what is installed for tests."""
    library, models, optical_flow = (ModuleType(name) for name in ("torchvision", "models", "optical_flow"))
    for name, width in (("raft_large", 64), ("raft_small", 32)):

        def build(*, weights: None, progress: bool, width: int = width) -> Stub:
            return Stub(width)

        setattr(optical_flow, name, build)
    library.models, models.optical_flow = models, optical_flow  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", library)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    monkeypatch.setitem(sys.modules, "torchvision.models.optical_flow", optical_flow)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(Stub(64).state_dict(), tmp_path / "raft.pth")
    return tmp_path / "raft.pth"


@pytest.mark.usefixtures("torchvision")
class TestWithTorchvision:
    @pytest.mark.parametrize("size", [(50, 33), (200, 136)])
    @pytest.mark.parametrize("width", [64, 32])
    def test_images_in_flow_out(self, tmp_path: Path, size: tuple[int, int], width: int) -> None:
        torch.save(Stub(width).state_dict(), tmp_path / "raft.pth")
        first, second = np.random.default_rng(0).integers(0, 255, (2, *size, 3), np.uint8)
        flow = load_raft(tmp_path / "raft.pth")(first, second)
        assert flow.dtype == np.float32
        assert np.allclose(flow[..., 0], first[..., 0] / 127.5 - 1, atol=1e-5)
        assert np.allclose(flow[..., 1], second[..., 1] / 127.5 - 1, atol=1e-5)

    def test_it_is_a_method(self, weights: Path) -> None:
        first, second = np.random.default_rng(0).integers(0, 255, (2, 16, 24, 3), np.uint8)
        forward, backward = choose_method("raft", weights=weights).both_ways(None, 0, first, second)  # type: ignore[arg-type]
        assert np.allclose(forward[..., 0], first[..., 0] / 127.5 - 1, atol=1e-5)
        assert np.allclose(backward[..., 0], second[..., 0] / 127.5 - 1, atol=1e-5)

    def test_no_weights(self, tmp_path: Path) -> None:
        for path, said in ((None, "no file"), (tmp_path / "none.pth", r"none\.pth")):
            with pytest.raises(InputNotFoundError, match=f"{said} is not there; get raft_large"):
                load_raft(path)

    @pytest.mark.parametrize("content", ["text", "pickle", "others", "odd", "incomplete"])
    def test_files_that_are_no_weights(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "raft.pth"
        states: dict[str, Any] = {
            "pickle": {"a": Path("code")},
            "others": nn.Conv2d(3, 4, 1).state_dict(),
            "odd": {"feature_encoder.convnormrelu.0.weight": 3},
            "incomplete": {"feature_encoder.convnormrelu.0.weight": torch.zeros(64, 3, 7, 7)},
        }
        if content == "text":
            path.write_text("no weights", encoding="utf-8")
        else:
            torch.save(states[content], path)
        with pytest.raises(InputError, match=r"raft\.pth") as caught:
            load_raft(path)
        assert "\n" not in str(caught.value)
        assert "weights_only" not in str(caught.value)  # torch's advice, to load the file unsafely


def test_without_torchvision(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(MissingExtraError, match=r"raft needs torchvision.*pip install torchvision"):
        load_raft(weights)
