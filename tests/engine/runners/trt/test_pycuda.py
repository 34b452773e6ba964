"""pycuda beside a plan's runner: on a GPU where there is one, else the example on a stand-in for both."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.fillers.stepper import Stepper
from ptfan.engine.runners.backends import backend_status
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.trt.build import build_plan
from ptfan.engine.runners.trt.tensorrt_runner import TensorRTRunner
from ptfan.engine.spec import CLIP_INPUTS
from tests.engine.runners.trt.conftest import aligned


@pytest.fixture(scope="module")
def example(load_script: Callable[[str], ModuleType]) -> Any:
    """Return the script as a module."""
    return load_script("examples/pycuda_step.py")


class GPUArray:
    """pycuda's array: no DLPack, and strides even where there are no gaps."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array, self.shape = aligned(array), array.shape

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        data, array = (self.array.ctypes.data, False), self.array
        told = {"shape": array.shape, "strides": array.strides, "typestr": array.dtype.str, "data": data}
        return {**told, "stream": None, "version": 3}


@pytest.fixture
def pycuda(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a pycuda that only keeps what is current, on the tests' CUDA."""
    driver, gpuarray, before = ModuleType("pycuda.driver"), ModuleType("pycuda.gpuarray"), []

    class Context:
        def push(self) -> None:
            before.append(cuda.context)
            cuda.context = 100

        @staticmethod
        def pop() -> None:
            assert cuda.context == 100, "it pops what it pushed"
            cuda.context = before.pop()

    class Device:
        def __init__(self, index: int) -> None:
            self.retain_primary_context = Context

    vars(driver).update(init=lambda: None, Device=Device)
    vars(gpuarray).update(to_gpu=GPUArray)
    package = ModuleType("pycuda")
    vars(package).update(driver=driver, gpuarray=gpuarray)
    for module in (package, driver, gpuarray):
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.usefixtures("pycuda")
def test_the_example_leaves_its_arrays_where_they_are(
    example: Any, plan: Callable, step_runner: Callable, cuda: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cuda.context = 5
    path = plan(step_runner())
    example.main(str(path), "24x16")
    assert capsys.readouterr().out.count("the fill's mean is 0.") == 4
    assert cuda.copies == ["up", "down"] * 4, "what goes up is `live` alone"
    assert cuda.context == 5


@pytest.mark.usefixtures("pycuda")
def test_its_arrays_are_what_a_step_takes(example: Any, plan: Callable, step_runner: Callable) -> None:
    with example.primary_context(), TensorRTRunner(plan(step_runner())) as runner:
        inputs = example.random_inputs(runner.spec, 24, 16)
        assert tuple(inputs) == CLIP_INPUTS
        stepper = Stepper(runner, 16, 24)
        for _ in range(3):
            fill = stepper.push(example.to_gpu(runner.spec, inputs))
        np.testing.assert_allclose(fill, inputs["frames"], rtol=1e-6)


@pytest.fixture
def on_gpu(tmp_path: Path) -> Path:
    """Return a plan for the GPU that is here, where pycuda is, too."""
    pytest.importorskip("pycuda.driver", reason="pycuda is not installed, or finds no driver", exc_type=ImportError)
    status = backend_status("tensorrt")
    if not status.usable:
        pytest.skip(f"needs a GPU and TensorRT: {status.reason}")
    build_plan("s-live", tmp_path / "s-live.plan")
    return tmp_path / "s-live.plan"


@pytest.mark.gpu
def test_a_gpu_takes_pycuda_s_arrays(example: Any, on_gpu: Path) -> None:
    with example.primary_context(), open_runner(on_gpu) as runner:
        inputs = example.random_inputs(runner.spec, 96, 64)
        usual, shared = Stepper(runner, 64, 96), Stepper(runner, 64, 96)
        for _ in range(6):  # the later ones are launched as recordings
            expected = usual.push(inputs)
            np.testing.assert_allclose(shared.push(example.to_gpu(runner.spec, inputs)), expected, atol=1e-4)


@pytest.mark.gpu
def test_a_gpu_waits_for_pycuda_s_stream(example: Any, on_gpu: Path) -> None:
    with example.primary_context(), TensorRTRunner(on_gpu) as runner:
        from pycuda import driver, gpuarray

        zeros = {name: np.zeros(shape, np.float32) for name, shape in runner.spec.input_shapes(1, 96, 64).items()}
        inputs = {**zeros, **example.random_inputs(runner.spec, 96, 64)}
        expected = runner.run(inputs)["fill"]
        late, stream = gpuarray.zeros(inputs["frames"].shape, np.float32), driver.Stream()
        pinned = driver.pagelocked_empty(late.shape, np.float32)
        pinned[...] = inputs["frames"]
        late.set_async(pinned, stream=stream)
        fill = runner.run_into({**inputs, "frames": late}, {}, stream=stream.handle)["fill"]
        np.testing.assert_allclose(fill, expected, atol=1e-4)
