from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ptfan.engine.fillers.stepper import Stepper, step_inputs
from ptfan.engine.models import find_model
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.spec import CLIP_CHANNELS
from tests.engine.conftest import make_clip

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
FRAMES, HEIGHT, WIDTH = 5, 32, 40


@pytest.fixture(scope="module")
def example(load_script: Callable[[str], ModuleType]) -> Any:
    """Return the script as a module."""
    return load_script("examples/plain_onnxruntime.py")


@pytest.mark.parametrize("name", ["s", "s-live", "s-live-fp16"])
def test_it_answers_as_the_runtime_does(name: str, example: Any) -> None:
    clip, path = make_clip(FRAMES, height=HEIGHT, width=WIDTH), find_model(name)
    plain = example.PlainStepModel(path, HEIGHT, WIDTH)
    with open_runner(path, backend="onnxruntime") as runner:
        stepper = Stepper(runner, HEIGHT, WIDTH)
        for t in range(FRAMES + stepper.delay):
            inputs, live = step_inputs(clip, t), t < FRAMES
            expected, fill = stepper.push(inputs, [live])[0], plain.push(inputs, live=live)
            if t >= plain.delay:
                np.testing.assert_allclose(fill, expected, atol=1e-3 if name.endswith("fp16") else 1e-5)
    assert plain.delay == stepper.delay


def test_it_knows_the_inputs(example: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert example.CHANNELS == CLIP_CHANNELS
    example.main(str(find_model("s-live")), f"{WIDTH}x{HEIGHT}")
    assert capsys.readouterr().out.count("the fill's mean is") == 4


def test_a_file_without_functions_runs_where_these_are_not_known(tmp_path: Any) -> None:
    openvino, inliner = pytest.importorskip("openvino"), pytest.importorskip("onnx.inliner")
    path = tmp_path / "inlined.onnx"
    onnx.save(inliner.inline_local_functions(onnx.load(find_model("s-live"))), path)
    assert len(openvino.Core().read_model(path).outputs) == 13
