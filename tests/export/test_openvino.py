"""The published design, whose warps look for zeros, in OpenVINO as in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from ptfan.engine.fillers.stepper import Stepper, step_inputs
from ptfan.engine.runners.ort.ort_runner import OrtRunner
from ptfan.engine.runners.ov.openvino_runner import OpenVINORunner
from ptfan.export.dimensions import Dimensions
from ptfan.export.graph import step_graph
from ptfan.export.metadata import write_spec
from ptfan.training.model import GeneratorConfig
from ptfan.training.spec import step_spec

pytest.importorskip("openvino")


def test_the_published_design_in_steps(
    tiny: Callable[..., GeneratorConfig], make_generator: Any, make_clip: Any, tmp_path: Path
) -> None:
    generator = make_generator(tiny("paper", convention="tsam"))
    graph, carried = step_graph(generator, "fp32", Dimensions())
    write_spec(graph, step_spec(generator, carried))
    onnx.save(graph, tmp_path / "tiny.onnx")
    inputs = make_clip(7, 24, 40)
    with OrtRunner(tmp_path / "tiny.onnx") as slow, OpenVINORunner(tmp_path / "tiny.onnx") as fast:
        steppers = [Stepper(runner, 24, 40) for runner in (slow, fast)]
        for t in range(7 + steppers[0].delay):
            expected, answer = (stepper.push(step_inputs(inputs, t), [t < 7]) for stepper in steppers)
            np.testing.assert_allclose(answer, expected, atol=1e-4)
