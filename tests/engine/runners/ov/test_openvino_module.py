from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from ptfan.engine.errors import BackendError
from ptfan.engine.models import FLOW_MODEL
from ptfan.engine.runners.backends import backend_status, backends_for, chosen_backends
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.ov import openvino_module
from ptfan.engine.runners.ov.openvino_module import import_openvino, openvino_problem

pytest.importorskip("openvino_telemetry", reason="needs OpenVINO, which brings it")


def test_nobody_is_told_that_it_was_loaded() -> None:
    code = (
        "import sys; from ptfan.engine.runners.ov.openvino_module import import_openvino; import_openvino(); "
        "assert 'openvino' in sys.modules; assert 'openvino_telemetry' not in sys.modules; import openvino_telemetry"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_runtime_loads_it_only_where_it_is_asked_for() -> None:
    code = (
        "import sys; from ptfan.engine.runners.choice import open_runner; from ptfan.engine.models import FLOW_MODEL; "
        "open_runner(FLOW_MODEL).close(); assert 'openvino' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_runs_onnx_files_by_name_alone() -> None:
    asked_for = set(backends_for(FLOW_MODEL)) - set(chosen_backends(FLOW_MODEL))
    assert asked_for == {"openvino", "openvino-bf16"}


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an OpenVINO of another release on a CPU without bf16."""
    core = SimpleNamespace(get_property=lambda device, name: ["FP32", "INT8"])
    openvino = SimpleNamespace(__version__="2026.1.0-1-abc-releases/2026/1", Core=lambda: core)
    monkeypatch.setattr(openvino_module, "import_openvino", lambda: openvino)
    return openvino


def test_a_cpu_without_bf16_is_told(stand_in: Any) -> None:
    assert openvino_problem(bf16=False) is None
    with pytest.raises(BackendError) as caught:
        open_runner(FLOW_MODEL, backend="openvino-bf16")
    assert str(caught.value) == "backend openvino-bf16: this CPU has no instructions for bf16; take openvino"


def test_a_release_that_answers_wrongly_is_refused(stand_in: Any) -> None:
    stand_in.__version__ = "2025.1.0-18503-6fec06580ab-releases/2025/1"
    status = backend_status("openvino")
    assert not status.usable
    assert status.installed
    expected = "OpenVINO 2025.1 mixes up a stream's states, expected 2025.4 or later: pip install -U openvino"
    assert status.reason == expected


def test_what_is_loaded_already_stays() -> None:
    found, telemetry = import_openvino(), import_module("openvino_telemetry")
    assert import_openvino() is found
    assert sys.modules["openvino_telemetry"] is telemetry
