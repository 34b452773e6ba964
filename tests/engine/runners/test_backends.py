"""Which backend is taken, and what a GPU's runner asks of ONNX Runtime, which stands in for itself here: it computes on
the CPU what it says it computes on the GPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, InputError
from ptfan.engine.fillers.stepper import Stepper
from ptfan.engine.models import FLOW_MODEL, find_model
from ptfan.engine.runners import choice
from ptfan.engine.runners.backends import Backend, _cuda_problem, backend_statuses
from ptfan.engine.runners.choice import _tell, _tell_unused, choose_file, open_runner
from ptfan.engine.runners.ort.ort_runner import OrtRunner
from ptfan.engine.spec import CLIP_CHANNELS

onnxruntime = pytest.importorskip("onnxruntime")
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class StandIn:
    """ONNX Runtime as it would be with a GPU, recorded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, finds_cuda: bool = True, error: str = "") -> None:
        self.opened: list[Any] = []
        self.allocated: list[tuple[str, int]] = []
        record, session, make = self, onnxruntime.InferenceSession, onnxruntime.OrtValue.ortvalue_from_numpy

        class Session(session):  # type: ignore[misc, valid-type]
            def __init__(self, path: str, options: Any, providers: list[Any], **more: Any) -> None:
                record.opened.append(providers)
                if more.get("enable_fallback", 1):
                    print("EP Error")  # as it does when it falls back
                if error and providers != [CPU]:
                    raise RuntimeError(error)
                super().__init__(path, options, providers=[CPU], **more)
                self.said = [CUDA, CPU] if finds_cuda and providers != [CPU] else [CPU]

            def get_providers(self) -> list[str]:
                return list(self.said)

        def ortvalue_from_numpy(array: NDArray[Any], kind: str = "cpu", index: int = 0) -> Any:
            self.allocated.append((kind, index))
            return make(array, "cpu", 0)

        monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
        monkeypatch.setattr(onnxruntime.OrtValue, "ortvalue_from_numpy", staticmethod(ortvalue_from_numpy))
        monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load a library"), raising=False)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What was found out on one machine does not count on the next."""
    _cuda_problem.cache_clear()
    yield
    _cuda_problem.cache_clear()


def frame(seed: int) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {name: rng.random((1, channels, 16, 16), np.float32) for name, channels in CLIP_CHANNELS.items()}


def test_the_best_that_works_is_taken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    record = StandIn(monkeypatch)
    assert [(status.name, status.usable, status.reason) for status in backend_statuses(1)[1:3]] == [
        ("onnxruntime-cuda", True, "ONNX Runtime on GPU 1"),
        ("onnxruntime", True, "ONNX Runtime on the CPU"),
    ]
    with open_runner(FLOW_MODEL, gpu=1) as runner:
        assert runner.backend == "onnxruntime-cuda (GPU 1)"
    with open_runner(FLOW_MODEL, backend="onnxruntime") as runner:
        assert runner.backend.startswith("onnxruntime (CPU, ")
    (provider, options), *rest = record.opened[1]
    assert (provider, options["device_id"], options["use_tf32"], rest) == (CUDA, "1", "0", [])
    assert record.opened[-1] == [CPU]
    assert capsys.readouterr().out == ""  # pictures may go there


def test_a_step_model_s_states_stay_on_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    model = find_model("s-live")
    with OrtRunner(model, threads=1) as plain:
        stepper = Stepper(plain, 16, 16)
        expected = [stepper.push(frame(t)) for t in range(4)]
    record = StandIn(monkeypatch)
    with OrtRunner(model, threads=1, gpu=2) as runner:
        stepper = Stepper(runner, 16, 16)
        values = sum(map(runner.spec.ring_length, runner.spec.carried))
        assert record.allocated == [("cuda", 2)] * values
        for t, wanted in enumerate(expected):
            assert np.array_equal(stepper.push(frame(t)), wanted)
    assert len(record.allocated) == values, "a step allocates nothing"


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ({"finds_cuda": False}, r"finds no CUDA and cuDNN .* pip install 'ptfan\[cuda\]'"),
        ({"error": "CUDA failure 100: no CUDA-capable device is detected"}, "cannot use it .*no CUDA-capable device"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_no_reason_to_compute_elsewhere_unasked(
    problem: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    StandIn(monkeypatch, **problem)
    with pytest.raises(BackendError, match=said) as caught:
        open_runner(FLOW_MODEL, backend="onnxruntime-cuda")
    assert "\n" not in str(caught.value)
    for has_gpu in (False, True):
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr("shutil.which", lambda tool, found=has_gpu: "/bin/true" if found else None)
        _tell.cache_clear()
        caplog.clear()
        with open_runner(FLOW_MODEL) as runner:  # `auto` goes on; where a GPU stays unused it says why
            assert runner.backend.startswith("onnxruntime (CPU, ")
        told = [f"computes by onnxruntime; {caught.value}"] if has_gpu else []
        assert [record.getMessage() for record in caplog.records] == told
    _, refused, taken, *_ = backend_statuses()
    assert (refused.usable, taken.usable) == (False, True)
    assert refused.reason in str(caught.value)


@pytest.mark.parametrize("backend", ["auto", "onnxruntime"])
def test_a_gpu_that_is_asked_for_by_its_number_and_not_used_is_told_of_once(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    StandIn(monkeypatch, finds_cuda=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    _tell_unused.cache_clear()
    for gpu in (0, 3, 3):
        open_runner(FLOW_MODEL, backend=backend, gpu=gpu).close()
    assert caplog.messages == ["computes by onnxruntime, on the CPU: GPU 3 was asked for and is not used"]


def test_the_cpu_s_onnx_runtime_says_what_to_install() -> None:
    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(
        BackendError, match=r"the CPU's alone; pip uninstall onnxruntime, then pip install 'ptfan\[cuda"
    ):
        OrtRunner(FLOW_MODEL, gpu=0)


@pytest.mark.gpu
def test_a_gpu_answers_as_the_cpu_does() -> None:
    problem = _cuda_problem(0)
    if problem is not None:
        pytest.skip(f"needs a GPU and onnxruntime-gpu: {problem}")
    model = find_model("s-live")
    with OrtRunner(model) as cpu, OrtRunner(model, gpu=0) as gpu:
        slow, fast = Stepper(cpu, 16, 16), Stepper(gpu, 16, 16)
        for t in range(6):
            np.testing.assert_allclose(fast.push(frame(t)), slow.push(frame(t)), atol=1e-4)


def test_int8_is_for_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    StandIn(monkeypatch)  # with a GPU
    small = find_model("s-live-int8")
    with open_runner(small) as runner:
        assert runner.backend.startswith("onnxruntime (CPU, int8, ")
    with pytest.raises(
        InputError, match=r"onnxruntime-cuda runs no int8 files.*got s-live-int8.onnx; take one of fp16"
    ):
        open_runner(small, backend="onnxruntime-cuda")


@pytest.mark.parametrize(
    ("model", "backend", "fast", "expected"),
    [
        ("s-live", "auto", True, "s-live-int8"),
        ("s-live", "auto", False, "s-live"),
        ("s-live", "onnxruntime", True, "s-live"),
        ("s-live-fp16", "auto", True, "s-live-fp16"),
        ("s-window", "auto", True, "s-window"),
        (find_model("s-live"), "auto", True, "s-live"),
    ],
)
def test_a_name_stands_for_the_int8_file_where_the_cpu_gains_by_it(
    model: str | Path, backend: Backend, fast: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "multiplies_bytes", lambda: fast)
    assert choose_file(model, backend=backend) == find_model(expected)


def test_a_gpu_is_not_given_up_for_int8(monkeypatch: pytest.MonkeyPatch) -> None:
    StandIn(monkeypatch)
    monkeypatch.setattr(choice, "multiplies_bytes", lambda: True)
    assert choose_file("s-live") == find_model("s-live")
