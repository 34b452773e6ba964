from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ptfan.engine.bench.network import NetworkResult
from tests.engine.bench.network_result import network_result

pytest.importorskip("torch")
pytest.importorskip("matplotlib")
pytest.importorskip("onnx")

PUBLISHED = os.environ.get("PTFAN_PUBLISHED")
ABOUT = {
    "processor": "Some CPU",
    "cores": "2",
    "date": "2026-11-28",
    "load before": "0.10",
    "torch": "2.13",
    "onnxruntime": "1.32",
}
SETTINGS = {"published": "abc1234", "weights": "random, seed 0", "size": "432x240", "window": (15, 9), "warm_up": 1}
CONFIG = {
    "arch": {
        "args": {
            "nc_in": 5,
            "nc_out": 3,
            "opts": {
                "backbone": "resnet",
                "nf": 64,
                "norm": "SN",
                "bias": True,
                "conv_by": "2dtsm",
                "conv_type": "gated",
                "flow_tsm": True,
            },
        }
    },
    "validation": {"valid_length": 15, "valid_interval": [3, 12]},
}
NETWORKS = """
import torch, torchvision
from model.tsm.resnet import ResNet
from utils.helper import HELP

class Generator(torch.nn.Module):
    def __init__(self, **options):
        super().__init__()
        print("built")
        ResNet().load_state_dict(torch.load("weights that are not there"))
        self.options = options
        self.coarse_net = torch.nn.Module()
        self.coarse_net.upsample_module = torch.nn.Linear(2, 2)
"""
RESNET = """
import torch

class ResNet(torch.nn.Module):
    pass
"""


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> Any:
    """Return the script as a module."""
    return load_script("benchmarks/published.py")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder that is laid out like the published code, with another network in it."""
    files = {
        "config/config_flow_finetune_davis.json": json.dumps(CONFIG),
        "model/networks.py": NETWORKS,
        "model/tsm/resnet.py": RESNET,
        "utils/helper.py": "HELP = 1\n",
    }
    for name, text in files.items():
        path = tmp_path / "TSAM" / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "TSAM"


def network(label: str, seconds: tuple[float, ...], ratio: float) -> NetworkResult:
    return network_result(label, seconds, backend="torch (cpu)", form="clip", frames=15, kept=9, ratio=ratio)


@pytest.fixture
def rows(script: Any) -> list[Any]:
    difference = script.Comparison(worst=2.5e-5, mean=8e-7, psnr=120.0, pixel=(1, 2, 3), peak=12.35)
    return [
        script.Row(network=network("published code", (27.0, 36.0, 45.0), 1.0), difference=None),
        script.Row(network=network("r50", (9.0, 9.0, 18.0), 4.0), difference=difference),
    ]


class TestCheckout:
    def test_the_network_is_built_as_the_configuration_says(self, script: Any, checkout: Path) -> None:
        arguments = CONFIG["arch"]["args"]  # type: ignore[index]
        options = arguments["opts"]
        assert script.PublishedCheckout(checkout).window == (15, 9)
        assert script.PublishedCheckout(checkout).generator().options == {
            "nc_in": 5,
            "nc_out": 3,
            "use_bias": True,
            "use_flow_tsm": True,
            **{name: options[name] for name in ("backbone", "nf", "norm", "conv_by", "conv_type")},
        }

    def test_nothing_of_it_stays(
        self, script: Any, checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = SimpleNamespace()
        monkeypatch.setitem(sys.modules, "utils", ours)  # of somebody else, and of the same name
        before = {name: sys.modules.get(name) for name in ("model", "model.networks", "utils", "torchvision")}
        paths = list(sys.path)
        script.PublishedCheckout(checkout).generator()
        assert {name: sys.modules.get(name) for name in before} == before
        assert sys.path == paths
        assert capsys.readouterr().out == ""
        assert list(checkout.rglob("*.pyc")) == []

    def test_its_weights_are_the_same_each_time(self, script: Any, checkout: Path) -> None:
        first, second = (script.PublishedCheckout(checkout).generator().coarse_net.upsample_module for _ in range(2))
        assert first.weight.equal(second.weight)


class TestResults:
    def test_the_table_tells_seconds_a_finished_frame(self, script: Any, rows: list[Any]) -> None:
        text = script.results_table(ABOUT, SETTINGS, rows)
        assert "| published code | torch (cpu) | 4.00 | 3.00 | 5.00 | 1.00 | - | - |" in text
        assert "| r50 | torch (cpu) | 1.00 | 1.00 | 2.00 | 4.00 | 2.5e-05 | 8.0e-07 |" in text
        for told in ("Some CPU, 2 cores, 2026-11-28", "commit abc1234", "windows, or steps", "that reach 12.3"):
            assert told in text

    def test_the_folder_gets_figures_table_and_plot(self, script: Any, rows: list[Any], tmp_path: Path) -> None:
        script.write_results(tmp_path / "new" / "folder", ABOUT, SETTINGS, rows)
        folder = tmp_path / "new" / "folder"
        found = json.loads((folder / "published.json").read_text(encoding="utf-8"))
        assert found["machine"] == ABOUT
        assert found["settings"]["window"] == [15, 9]
        assert [row["network"]["times"] for row in found["rows"]] == [[27e3, 36e3, 45e3], [9e3, 9e3, 18e3]]
        assert found["rows"][1]["difference"]["worst"] == 2.5e-5
        assert (folder / "published.md").read_text(encoding="utf-8") == script.results_table(ABOUT, SETTINGS, rows)
        assert (folder / "published.png").read_bytes().startswith(b"\x89PNG")


class TestMistakes:
    def test_no_checkout(self, told: Callable[..., str], tmp_path: Path) -> None:
        line = told("--published", tmp_path / "none", "-o", tmp_path / "out")
        assert f"{tmp_path / 'none'}: no such folder, expected a checkout of the published code" in line
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "name", ["config/config_flow_finetune_davis.json", "model/networks.py", "model/tsm/resnet.py"]
    )
    def test_a_checkout_that_lacks_a_file(self, told: Callable[..., str], checkout: Path, name: str) -> None:
        (checkout / "src" / name).unlink()
        line = told("--published", checkout, "-o", checkout / "out")
        assert f"{checkout}: has no src/{name}" in line

    def test_a_checkout_that_cannot_be_imported(self, told: Callable[..., str], checkout: Path) -> None:
        (checkout / "src" / "utils" / "helper.py").write_text("import none_such\n", encoding="utf-8")
        line = told("--published", checkout, "-o", checkout / "out")
        assert "cannot be imported (No module named 'none_such')" in line

    @pytest.mark.parametrize(
        ("option", "value", "expected"),
        [
            ("--size", "432", "size"),
            ("--size", "native", "size is native"),
            ("--size", "430x240", "size is 430x240, published takes multiples of 8"),
            ("--windows", "0", "windows is 0, expected 1 or more"),
            ("--backend", "none", "backend 'none': expected one of"),
            ("--checkpoint", "none.pth", "none.pth: no such file"),
        ],
    )
    def test_an_option_that_does_not_fit(
        self, told: Callable[..., str], checkout: Path, option: str, value: str, expected: str
    ) -> None:
        line = told("--published", checkout, option, value, "-o", checkout / "out")
        assert expected in line
        assert not (checkout / "out").exists()


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not PUBLISHED, reason="PTFAN_PUBLISHED names no checkout of the method's published code")
def test_r50_is_the_published_network(script: Any, tmp_path: Path) -> None:
    assert script.main(["--published", str(PUBLISHED), "--size", "32x24", "--windows", "1", "-o", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "published.json").read_text(encoding="utf-8"))["rows"]
    assert [row["network"]["form"] for row in rows] == ["clip", "clip", "step"]
    theirs, in_torch, in_steps = (row["difference"] for row in rows)
    assert theirs is None
    assert in_torch["worst"] <= 1e-5 * in_torch["peak"]
    assert in_steps["worst"] <= 1e-4 * in_steps["peak"]
