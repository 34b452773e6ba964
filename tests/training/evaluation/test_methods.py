from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.models import find_model, flow_model
from ptfan.engine.prepare.completion import dilate, pull_push
from ptfan.engine.prepare.flow import DisFlow, guide_image
from ptfan.engine.prepare.validity import validity
from ptfan.training.evaluation.methods import (
    BASELINES,
    baseline_methods,
    model_methods,
    plain_flows,
    propagation,
    telea,
)
from ptfan.training.evaluation.metrics.psnr import psnr
from ptfan.training.evaluation.task import Task


def test_baselines_leave_known_pixels_alone_and_ignore_the_hole(task: Task) -> None:
    spoiled = [
        np.where(hole[..., None], np.uint8(255), image) for image, hole in zip(task.truth, task.holes, strict=True)
    ]
    for method in BASELINES.values():
        results, again = method(task.truth, task.holes), method(spoiled, task.holes)
        for result, other, image, hole in zip(results, again, task.truth, task.holes, strict=True):
            assert result.dtype == np.uint8
            np.testing.assert_array_equal(result[~hole], image[~hole])
            np.testing.assert_array_equal(result, other)
            assert not hole.any() or (result != image).any()


def test_propagation_finds_what_the_pan_uncovers(task: Task) -> None:
    quality = {
        method: np.mean([psnr(method(task.truth, task.holes)[t], task.truth[t], task.holes[t]) for t in task.counted])
        for method in (telea, propagation)
    }
    assert quality[propagation] > quality[telea] + 3.0


def test_the_plain_flow_is_estimated_outside_and_smooth_inside(task: Task) -> None:
    floats = [image.astype(np.float32) / np.float32(255) for image in task.truth]
    pair = plain_flows(floats, task.holes)[1]
    guides = [guide_image(image, hole) for image, hole in zip(floats, task.holes, strict=True)]
    near, raw = dilate(task.holes[1], 4), DisFlow()(guides[1], guides[2])
    np.testing.assert_array_equal(pair.forward[~near], raw[~near])
    np.testing.assert_allclose(pair.forward, pull_push(raw, ~near), atol=1e-5)
    np.testing.assert_array_equal(pair.forward_validity, validity(pair.forward, pair.backward))
    assert (pair.forward[near] != raw[near]).any()


def test_a_model_is_the_runtime_itself(task: Task) -> None:
    settings = InpaintSettings(threads=1)
    with Inpainter("s", settings=settings) as inpainter:
        done = []
        for image, hole in zip(task.truth, task.holes, strict=True):
            done += inpainter.push(Frame(image, hole))
        expected = [frame.composite() for frame in done + inpainter.flush()]
    with model_methods(["mine=s"], settings) as (method,):
        assert method.name == "mine"
        for _ in range(2):  # a stream that has ended leaves nothing behind
            np.testing.assert_array_equal(method.fill(task.truth, task.holes), expected)
    with pytest.raises(InputError, match="inpainter is closed"):
        method.fill(task.truth, task.holes)


def test_a_path_may_hold_what_names_a_model(tmp_path: Path) -> None:
    folder = tmp_path / "lr=0.1"
    folder.mkdir()
    shutil.copy(find_model("s"), folder / "mine.onnx")
    with model_methods([str(folder / "mine.onnx"), f"best={folder / 'mine.onnx'}"], InpaintSettings()) as methods:
        assert [method.name for method in methods] == ["mine", "best"]


def fingerprint(**settings: Any) -> str:
    with model_methods(["s"], InpaintSettings(threads=1, **settings)) as (method,):
        return method.fingerprint


def test_settings_and_weights_tell_methods_apart() -> None:
    assert fingerprint(crop=True) != fingerprint(crop=False)


def test_the_networks_that_help_a_model_tell_methods_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = fingerprint()
    assert len({usual, fingerprint(flow_completion="smooth"), fingerprint(colour_completion="smooth")}) == 3
    monkeypatch.setattr(Inpainter, "helpers", {"flow": flow_model(), "colour": find_model("s")})
    assert fingerprint() != usual


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="baseline 'magic' is not known, expected one of telea, propagation"):
        baseline_methods(["telea", "magic"])
    with pytest.raises(InputNotFoundError, match=r"none\.onnx"), model_methods(["none.onnx"], InpaintSettings()):
        pass
