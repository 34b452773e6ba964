"""Recorded runs, on a provider that replays as CUDA's does: from and to the addresses that it has recorded."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError
from ptfan.engine.fillers.stepper import Stepper, step_inputs
from ptfan.engine.models import find_model
from ptfan.engine.runners.backends import backend_status
from ptfan.engine.runners.ort import graphs as ort_graphs
from ptfan.engine.runners.ort.graphs import MOST_SIZES
from ptfan.engine.runners.ort.ort_runner import CUDA, GRAPHS_VARIABLE, OrtRunner
from ptfan.engine.spec import CLIP_CHANNELS

onnxruntime = pytest.importorskip("onnxruntime")

Session = onnxruntime.InferenceSession
SIDES = {16: 24, 24: 16, 32: 32, 40: 16, 48: 16}
"""Heights of the tests' frames, and their widths."""


class Cuda:
    """The CUDA provider, on the CPU."""

    def __init__(self) -> None:
        self.sessions: list[CudaSession] = []
        self.refuses = False
        """It does not take the graph for recording."""
        self.fails = False
        """It cannot record."""
        self.saved: Path | None = None
        """Where the graph goes that is recorded."""


class CudaSession:
    """A session of that provider."""

    def __init__(self, cuda: Cuda, model: str, options: Any, *, providers: list[Any], enable_fallback: int) -> None:
        ((_, told),) = providers
        self.records = told.get("enable_cuda_graph") == "1"
        if self.records and cuda.refuses:
            raise RuntimeError("CUDA graphs:\nnot all nodes are CUDA's")
        if self.records and cuda.saved:
            options.optimized_model_filepath = str(cuda.saved)
        self._cuda, self._session = cuda, Session(model, options, providers=["CPUExecutionProvider"])
        self.plans_memory = options.enable_mem_pattern
        self.recorded: dict[str, Any] = {}
        self.numbers: list[str] = []
        self.threads: set[int] = set()
        for name in ("get_inputs", "get_outputs", "io_binding"):
            setattr(self, name, getattr(self._session, name))
        cuda.sessions.append(self)

    def get_providers(self) -> list[str]:
        return [CUDA]

    def run_with_iobinding(self, binding: Any, options: Any = None) -> None:
        number = options.get_run_config_entry("gpu_graph_id") if self.records else "-1"
        self.numbers.append(number)
        self.threads.add(threading.get_ident())
        if number != "-1" and self._cuda.fails:
            raise RuntimeError("cudaErrorStreamCaptureUnsupported")
        if number != "-1":
            binding = self.recorded.setdefault(number, binding)
        self._session.run_with_iobinding(binding)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    """Install the provider, and ask for recordings."""
    found, value, numpy = Cuda(), onnxruntime.OrtValue.ortvalue_from_numpy, onnxruntime.OrtValue.numpy

    def open_session(*args: Any, providers: list[Any], **options: Any) -> Any:
        on_cpu = providers == ["CPUExecutionProvider"]
        kind = Session if on_cpu else partial(CudaSession, found)
        return kind(*args, providers=providers, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", open_session)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA])

    def on_cuda(array: NDArray[Any], device: str, index: int) -> Any:
        assert (device, index) in (("cuda", 0), ("cpu", 0))
        return value(array.copy(), "cpu", 0)

    monkeypatch.setattr(onnxruntime.OrtValue, "ortvalue_from_numpy", on_cuda)
    monkeypatch.setattr(onnxruntime.OrtValue, "numpy", lambda self: numpy(self).copy())  # what a GPU has is copied
    monkeypatch.setenv(GRAPHS_VARIABLE, "1")
    return found


def clip(frames: int, height: int = 16) -> dict[str, NDArray[np.float32]]:
    rng, width = np.random.default_rng(0), SIDES[height]
    return {name: rng.random((frames, count, height, width), np.float32) for name, count in CLIP_CHANNELS.items()}


def push(stepper: Stepper, inputs: dict[str, NDArray[np.float32]], frames: int) -> list[NDArray[np.float32]]:
    return [stepper.push(step_inputs(inputs, t)) for t in range(frames)]


@pytest.fixture(scope="module")
def expected() -> list[NDArray[np.float32]]:
    with OrtRunner(find_model("s-live"), threads=1) as runner:
        return push(Stepper(runner, 16, 24), clip(8), 8)


def test_steps_are_recorded_when_their_addresses_come_again(cuda: Cuda, expected: Any) -> None:
    with OrtRunner(find_model("s-live"), threads=1, gpu=0) as runner:
        assert runner.backend == "onnxruntime-cuda (GPU 0, CUDA graphs)"
        np.testing.assert_allclose(push(Stepper(runner, 16, 24), clip(8), 8), expected, atol=1e-5)
    usual, fixed = cuda.sessions
    assert usual.plans_memory
    assert not usual.numbers, "it never ran"
    assert not fixed.plans_memory
    assert fixed.numbers == ["-1", "-1", "1", "2", "1", "2", "1", "2"], "two slots make two sets of addresses"


def test_a_file_of_one_size_is_recorded_as_well(cuda: Cuda, expected: Any, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model, sizes = onnx.load(find_model("s-live")), {"B": 1, "H": 16, "W": 24}
    for value in (*model.graph.input, *model.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            side, _, divisor = dim.dim_param.partition("/")
            dim.dim_value = sizes[side] // int(divisor or 1) if side else dim.dim_value
    onnx.save(model, tmp_path / "fixed.onnx")
    with OrtRunner(tmp_path / "fixed.onnx", threads=1, gpu=0) as runner:
        np.testing.assert_allclose(push(Stepper(runner, 16, 24), clip(8), 8), expected, atol=1e-5)
    assert cuda.sessions[1].numbers == ["-1", "-1", "1", "2", "1", "2", "1", "2"]
    assert not cuda.sessions[1].plans_memory


@pytest.mark.parametrize("model", ["s", "s-soon", "s-live"])
def test_a_graph_that_knows_its_sizes_works_out_none(model: str, cuda: Cuda, tmp_path: Path) -> None:
    """What is worked out of sizes is done on the CPU, where nothing can be recorded."""
    onnx = pytest.importorskip("onnx")
    cuda.saved = tmp_path / "fixed.onnx"
    with OrtRunner(find_model(model), threads=1, gpu=0) as runner:
        push(Stepper(runner, 16, 24), clip(1), 1)
    kinds = {node.op_type for node in onnx.load(cuda.saved).graph.node}
    assert "Conv" in kinds
    assert not kinds & {"Shape", "Size", "Range", "FlowWarp", "If", "Loop", "Scan"}


def test_each_size_has_a_session_up_to_a_number(cuda: Cuda) -> None:
    with OrtRunner(find_model("s-live"), threads=1, gpu=0) as runner, OrtRunner(find_model("s-live")) as plain:
        for height, width in SIDES.items():
            fast, slow = Stepper(runner, height, width), Stepper(plain, height, width)
            inputs = clip(4, height)
            np.testing.assert_allclose(push(fast, inputs, 4), push(slow, inputs, 4), atol=1e-5)
    recording = [session for session in cuda.sessions if session.records]
    assert len(recording) == MOST_SIZES < len(SIDES)
    assert len(cuda.sessions[0].numbers) == 4, "the last runs as it would without recordings"


def test_a_session_that_has_recorded_enough_is_opened_anew(
    cuda: Cuda, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ort_graphs, "MOST_GRAPHS", 3)
    with OrtRunner(find_model("s-live"), threads=1, gpu=0) as runner:
        steppers = [Stepper(runner, 16, 24) for _ in range(3)]  # all are kept, so that each has addresses of its own
        for stepper in steppers:
            np.testing.assert_allclose(push(stepper, clip(8), 8), expected, atol=1e-5)
    fixed = [session for session in cuda.sessions if session.records]
    assert [len(session.recorded) for session in fixed] == [3, 3]
    assert sum(len(session.numbers) for session in fixed) == 8 * 3


@pytest.mark.parametrize("what", ["refuses", "fails"])
def test_what_cannot_be_recorded_runs_as_before_and_says_so(
    what: str, cuda: Cuda, expected: Any, caplog: pytest.LogCaptureFixture
) -> None:
    setattr(cuda, what, True)
    with caplog.at_level(logging.WARNING, "ptfan"), OrtRunner(find_model("s-live"), threads=1, gpu=0) as runner:
        np.testing.assert_allclose(push(Stepper(runner, 16, 24), clip(8), 8), expected, atol=1e-5)
        assert runner.backend == "onnxruntime-cuda (GPU 0)"
    why = "CUDA graphs: not all nodes are CUDA's" if what == "refuses" else "cudaErrorStreamCaptureUnsupported"
    assert caplog.messages == [f"model s-live: no CUDA graphs, each kernel is launched by itself ({why})"]


def test_recordings_belong_to_one_thread_whoever_comes(cuda: Cuda, expected: Any) -> None:
    with OrtRunner(find_model("s-live"), threads=1, gpu=0) as runner:
        stepper, inputs = Stepper(runner, 16, 24), clip(8)
        for t in range(8):
            with ThreadPoolExecutor(1) as video:
                fill = video.submit(stepper.push, step_inputs(inputs, t)).result()
            np.testing.assert_allclose(fill, expected[t], atol=1e-5)
    (fixed,) = [session for session in cuda.sessions if session.records]
    assert fixed.numbers == ["-1", "-1", "1", "2", "1", "2", "1", "2"]
    assert len(fixed.threads) == 1


def test_nothing_is_recorded_where_a_gpu_decodes_or_encodes(
    cuda: Cuda, expected: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its libraries are in the process then: one that surely is stands for them."""
    monkeypatch.setattr(ort_graphs, "CODECS", ("libnone-of-that-name.so.1", "libc.so.6"))
    with OrtRunner(find_model("s-live"), threads=1, gpu=0) as runner:
        np.testing.assert_allclose(push(Stepper(runner, 16, 24), clip(8), 8), expected, atol=1e-5)
        assert runner.backend == "onnxruntime-cuda (GPU 0)"
    assert cuda.sessions[1].numbers == ["-1", "-1"]
    (line,) = caplog.messages
    assert line.endswith("(a GPU decodes or encodes in this process, which fails while ONNX Runtime records)")


def test_they_are_off_unless_asked_for(cuda: Cuda, expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GRAPHS_VARIABLE)
    with OrtRunner(find_model("s-live"), threads=1, gpu=0) as runner:
        assert runner.backend == "onnxruntime-cuda (GPU 0)"
        push(Stepper(runner, 16, 24), clip(3), 3)
    assert [session.records for session in cuda.sessions] == [False]


def test_wrong_shapes_are_told_and_recordings_go_on(cuda: Cuda) -> None:
    with OrtRunner(find_model("s-live"), threads=1, gpu=0) as runner:
        stepper, inputs = Stepper(runner, 16, 24), clip(1)
        stepper.push(inputs)
        with pytest.raises(BackendError, match="ONNX Runtime failed"):
            stepper.push({**inputs, "hole": inputs["hole"][..., :8]})
        assert runner.backend.endswith("CUDA graphs)")


@pytest.mark.gpu
@pytest.mark.parametrize("model", ["s", "s-live"])
def test_a_gpu_records(model: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    status = backend_status("onnxruntime-cuda")
    if not status.usable:
        pytest.skip(f"needs a GPU and onnxruntime-gpu: {status.reason}")
    inputs = clip(40)
    with OrtRunner(find_model(model), gpu=0) as plain:
        expected = push(Stepper(plain, 16, 24), inputs, 40)
    monkeypatch.setenv(GRAPHS_VARIABLE, "1")
    with OrtRunner(find_model(model), gpu=0) as runner:
        np.testing.assert_allclose(push(Stepper(runner, 16, 24), inputs, 40), expected, atol=1e-4)
        assert runner.backend.endswith("CUDA graphs)"), caplog.messages
