"""The calls whose values tell a network's ranges."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfan.engine.demo import DEMO_CLIP
from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.models import find_model
from ptfan.engine.progress import NoProgress
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.export.int8.calibration import CalibrationSettings, calibration_calls

MODEL = find_model("s-live")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with two clips."""
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(DEMO_CLIP, tmp_path / name)
    return tmp_path


class Counting(NoProgress):
    """Counts."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0

    def start(self, name: str, total: int | None, unit: str = "frames") -> None:
        self.total = total

    def advance(self) -> None:
        self.done += 1


def test_every_so_many_th_call_of_every_clip(data: Path) -> None:
    progress = Counting()
    settings = CalibrationSettings(data=data, frames=6, every=3, threads=1)
    calls = list(calibration_calls(MODEL, settings, progress))
    assert (progress.total, progress.done) == (2, 2)
    spec = read_spec(MODEL)
    height, width = calls[0]["frames"].shape[2:]
    shapes = {name: array.shape for name, array in calls[0].items()}
    assert shapes == spec.input_shapes(1, width, height)
    assert len(calls) >= 4
    first, later = calls[0], calls[1]
    carried = spec.carried[0].inputs[1]
    assert not first[carried].any()
    assert later[carried].any(), "copied before the next step wrote over it"


def test_the_same_seed_gives_the_same_calls(data: Path) -> None:
    def shown(seed: int) -> np.ndarray:
        settings = CalibrationSettings(data=data, frames=3, every=2, seed=seed, threads=1)
        return next(iter(calibration_calls(MODEL, settings)))["hole"]

    assert np.array_equal(shown(1), shown(1))
    assert not np.array_equal(shown(1), shown(2))


def test_a_list_names_the_clips(data: Path) -> None:
    names = data / "names.txt"
    names.write_text("b\n", encoding="utf-8")
    progress = Counting()
    list(calibration_calls(MODEL, CalibrationSettings(data=data, clips=names, frames=2, threads=1), progress))
    assert progress.total == 1
    names.write_text("c\n", encoding="utf-8")
    with pytest.raises(InputNotFoundError, match="lacks 1 named clips, first c"):
        list(calibration_calls(MODEL, CalibrationSettings(data=data, clips=names)))


@pytest.mark.parametrize("wrong", [{"frames": 1}, {"every": 0}, {"seed": -1}, {"threads": -1}])
def test_settings_out_of_range(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(InputError, match=f"calibration: {name} is"):
        CalibrationSettings(data=Path(), **wrong)
