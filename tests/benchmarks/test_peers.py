from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.benchmarks.fake_checkouts import fake_checkout

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

PEERS = os.environ.get("PTFAN_PEERS")
ABOUT = {
    "processor": "Some CPU",
    "cores": "2",
    "date": "2026-11-30",
    "load before": "0.10",
    "torch": "2.13",
    "onnxruntime": "1.32",
}
SETTINGS = {
    "commits": {"STTN": "abc1234"},
    "weights": "random, seed 0",
    "size": "432x240",
    "box": "1,2,3,4",
    "near": 5,
    "far": 10,
    "deformable": "written in torch",
}


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> Any:
    """Return the script as a module."""
    return load_script("benchmarks/peers.py")


@pytest.fixture
def rows(script: Any) -> list[Any]:
    theirs = script.Row(label="STTN", parts="all", by="torch", ours=False, frames=15, flop=500e9, parameters=16_600_000)
    ours = script.Row(label="`s`, a step", parts="network", by="fp32", ours=True, flop=5e9, parameters=800_000)
    whole = script.Row(label="`s`, file to file", parts="everything", by="int8", ours=True)
    for row, seconds in ((theirs, (4.0, 2.0, 3.0)), (ours, (0.02, 0.04, 0.03)), (whole, (0.05, 0.06, 0.06))):
        for value in seconds:
            row.add({"frames": 10, "seconds": 10 * value, "processor": 20 * value, "memory": 2e9 * value})
    return [theirs, ours, whole]


class TestResults:
    def test_the_table_tells_seconds_a_finished_frame(self, script: Any, rows: list[Any]) -> None:
        text = script.results_table(ABOUT, SETTINGS, rows)
        assert "| STTN | torch | all | 3 | 2 | 4 | 6 | 100 | 500 | 100 | 16.6 | 8.0 |" in text
        assert "| `s`, a step | fp32 | network | 0.03 | 0.02 | 0.04 | 0.06 | 1 | 5 | 1 | 0.8 | 0.1 |" in text
        assert "| `s`, file to file | int8 | everything | 0.06 | 0.05 | 0.06 | 0.12 | 2 | - | - | - | 0.1 |" in text
        for part in ("Some CPU, 2 cores, 2026-11-30", "STTN abc1234", "runs of each: 3", "to 11 frames", "every 10th"):
            assert part in text

    def test_the_folder_gets_figures_table_and_plot(self, script: Any, rows: list[Any], tmp_path: Path) -> None:
        folder = tmp_path / "new" / "folder"
        script.write_results(folder, ABOUT, SETTINGS, rows)
        found = json.loads((folder / "peers.json").read_text(encoding="utf-8"))
        assert found["machine"] == ABOUT
        assert found["settings"] == SETTINGS
        assert next(row["times"] for row in found["rows"]) == [4.0, 2.0, 3.0]
        assert (folder / "peers.md").read_text(encoding="utf-8") == script.results_table(ABOUT, SETTINGS, rows)
        assert (folder / "peers.png").read_bytes().startswith(b"\x89PNG")


def test_peers_and_ours_are_run_in_turn(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entry, size = importlib.import_module("beside.entry"), (64, 48)
    contender = script.Contender("s-live", "s-live", "onnxruntime")

    def ours(clip: Any) -> list[Any]:
        video = entry.VideoEntry(contender, clip, numbers="fp32", crop=True)
        return [entry.StepEntry("s-live", "onnxruntime", size, 3), video]

    monkeypatch.setattr(script, "_ours", ours)
    checkout, out = fake_checkout(tmp_path, "STTN"), tmp_path / "out"
    small = ["--frames", "3", "--whole", "4", "--rounds", "2"]
    assert script.main(["--sttn", str(checkout), *small, "-o", str(out)]) == 0
    found = json.loads((out / "peers.json").read_text(encoding="utf-8"))
    assert [row["label"] for row in found["rows"]] == [
        "STTN",
        "`s-live`, a step, whole frame",
        "`s-live`, file to file",
    ]
    assert [row["frames"] for row in found["rows"]] == [3, 3, 4]
    for row in found["rows"]:
        assert len(row["times"]) == len(row["processor"]) == 2
        assert min(*row["times"], *row["processor"]) > 0
        assert row["memory"] > 10e6
    theirs, step, _ = found["rows"]
    assert theirs["parameters"] == 391
    # Each frame is encoded once, and decoded in its window.
    assert theirs["flop"] == 2 * 2 * 3 * 4 * 432 * 240
    assert step["flop"] > 0


class TestMistakes:
    def test_no_checkout_is_named(self, told: Callable[..., str], tmp_path: Path) -> None:
        line = told("-o", tmp_path / "out")
        assert "no checkout is named, expected one or more of --" in line
        assert "--sttn" in line
        assert list(tmp_path.iterdir()) == []

    def test_no_such_folder(self, told: Callable[..., str], tmp_path: Path) -> None:
        line = told("--e2fgvi", tmp_path / "none", "-o", tmp_path / "out")
        assert f"{tmp_path / 'none'}: no such folder, expected a checkout of E2FGVI" in line

    def test_a_checkout_of_something_else(self, told: Callable[..., str], tmp_path: Path) -> None:
        checkout = fake_checkout(tmp_path, "STTN")
        line = told("--fuseformer", checkout, "-o", tmp_path / "out")
        assert f"{checkout}: has no model/fuseformer.py, expected a checkout of FuseFormer" in line

    def test_a_checkout_that_cannot_be_imported(self, told: Callable[..., str], tmp_path: Path) -> None:
        checkout = fake_checkout(tmp_path, "STTN")
        (checkout / "core" / "spectral_norm.py").write_text("import none_such\n", encoding="utf-8")
        line = told("--sttn", checkout, "--whole", 4, "--frames", 3, "-o", tmp_path / "out")
        assert "cannot be imported (No module named 'none_such')" in line

    @pytest.mark.parametrize(
        ("option", "value", "expected"),
        [
            ("--frames", "1", "frames is 1, expected 2 to 80"),
            ("--frames", "81", "frames is 81, expected 2 to 80"),
            ("--frames", "60", "has 55 frames, expected 60; give fewer --frames"),
            ("--rounds", "0", "rounds is 0, expected 1"),
            ("--box", "400,0,40,10", "box is 400,0,40,10, expected one in 432x240"),
            ("--box", "1,2", "box"),
            ("--clip", "none.mp4", "none.mp4: no such file"),
        ],
    )
    def test_an_option_that_does_not_fit(
        self, told: Callable[..., str], tmp_path: Path, option: str, value: str, expected: str
    ) -> None:
        checkout = fake_checkout(tmp_path, "STTN")
        line = told("--sttn", checkout, option, value, "-o", tmp_path / "out")
        assert expected in line
        assert not (tmp_path / "out").exists()


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not PEERS, reason="PTFAN_PEERS names no folder of checkouts of the peers' published code")
def test_the_published_code_runs(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folders = {name: Path(str(PEERS), script.PEERS[name].what) for name in script._flags()}
    there = [word for name, folder in folders.items() if folder.is_dir() for word in (f"--{name}", str(folder))]
    small = ["--frames", "2", "--whole", "12", "--rounds", "1"]
    assert script.main([*there, *small, "-o", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "peers.json").read_text(encoding="utf-8"))["rows"]
    ours = next(row for row in rows if row["ours"])
    theirs = [row for row in rows if not row["ours"]]
    assert len(theirs) >= len(there) // 2
    assert all(row["flop"] > 20 * ours["flop"] and row["parameters"] > 10e6 for row in theirs)
