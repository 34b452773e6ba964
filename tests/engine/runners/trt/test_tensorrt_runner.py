"""The runner's own logic, on a CUDA that waits until it is waited for, and a TensorRT that runs the tests' networks."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, InputError, ModelError
from ptfan.engine.fillers.stepper import Stepper, step_inputs
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.models import find_model
from ptfan.engine.runners.backends import backend_status
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.trt.build import build_plan
from ptfan.engine.runners.trt.device_array import DeviceArray
from ptfan.engine.runners.trt.launches import MOST
from ptfan.engine.runners.trt.plan_record import record_path
from ptfan.engine.runners.trt.sizes import Extent, SizeRange
from ptfan.engine.runners.trt.tensorrt_runner import TensorRTRunner
from ptfan.engine.spec import CLIP_CHANNELS
from tests.engine.runners.trt.conftest import aligned, brighten, clip


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_clip_goes_up_and_its_answer_comes_down(precision: str, plan: Callable, runner: Callable, cuda: Any) -> None:
    with TensorRTRunner(plan(runner(brighten, precision=precision))) as loaded:
        for frames, height, width in ((2, 16, 24), (6, 8, 8), (2, 16, 24)):
            inputs = clip(frames, height, width)
            fill = loaded.run(inputs)["fill"]
            assert fill.dtype == np.float32
            np.testing.assert_allclose(fill, brighten(inputs), atol=1e-6 if precision == "fp32" else 2e-3)
        assert loaded.backend == "tensorrt (GPU 0, CUDA graphs)"
        allocated = cuda.allocated
        loaded.run(clip(6, 64, 64))
        assert cuda.allocated == allocated, "memory is there for the largest size from the first run on"
    with pytest.raises(ModelError, match=r"^model fake: its runner is closed; open another one$"):
        loaded.run(clip(2))
    del loaded
    gc.collect()
    assert cuda.memory == {}, "all of it is given back"


def test_states_stay_on_the_gpu(plan: Callable, step_runner: Any, cuda: Any) -> None:
    inputs = clip(9)
    pictures = list(inputs["frames"])
    stepper = Stepper(TensorRTRunner(plan(step_runner())), 16, 24)
    for t in range(10):
        fill = stepper.push(step_inputs(inputs, t), [t < 9])
        if t:
            np.testing.assert_allclose(fill[0], step_runner.expected(pictures, t - 1), rtol=1e-6)
        assert cuda.copies == ["up"] * len((*CLIP_CHANNELS, "live")) + ["down"]
        cuda.copies.clear()


def test_a_stream_that_is_late_stays_as_it_is(plan: Callable, step_runner: Any, cuda: Any) -> None:
    inputs, stepper = clip(6), Stepper(TensorRTRunner(plan(step_runner())), 16, 24, streams=2)
    pictures, late = list(inputs["frames"]), 0
    for t in range(7):
        comes = t % 3 != 1
        both = [step_inputs(inputs, t), step_inputs(inputs, late)]
        batch = {name: np.concatenate([one[name] for one in both]) for name in both[0]}
        fill = stepper.push(batch, [t < 6, (late < 6) if comes else None])
        if t:
            np.testing.assert_allclose(fill[0], step_runner.expected(pictures, t - 1), rtol=1e-6)
        if comes and late:
            np.testing.assert_allclose(fill[1], step_runner.expected(pictures, late - 1), rtol=1e-6)
        late += comes
    assert "within" in cuda.copies


def test_what_repeats_is_recorded_and_launched(plan: Callable, step_runner: Callable, cuda: Any, tensorrt: Any) -> None:
    inputs = clip(9)
    stepper = Stepper(TensorRTRunner(plan(step_runner())), 16, 24)
    for t in range(9):
        stepper.push(step_inputs(inputs, t))
    # Four slots make four sets of addresses: each runs once, and is recorded when it comes again.
    assert cuda.launched == 5
    (context,) = tensorrt.contexts
    assert context.runs == 9
    assert context.resized == len(tensorrt.network.spec.input_shapes(1, 8, 8)), "shapes are told when they change"


def test_what_cannot_be_recorded_runs_as_before(plan: Callable, runner: Callable, cuda: Any) -> None:
    cuda.records = False
    loaded = TensorRTRunner(plan(runner(brighten)))
    for _ in range(4):
        inputs = clip(2)
        np.testing.assert_allclose(loaded.run(inputs)["fill"], brighten(inputs), atol=1e-6)
    assert cuda.launched == 0


def test_a_recording_for_which_there_is_no_memory_runs_as_before(plan: Callable, runner: Callable, cuda: Any) -> None:
    cuda.cudaGraphInstantiate = lambda graph, flags: (cuda.cudaError_t.cudaErrorMemoryAllocation, None)
    loaded = TensorRTRunner(plan(runner(brighten)))
    for _ in range(4):
        inputs = clip(2)
        np.testing.assert_allclose(loaded.run(inputs)["fill"], brighten(inputs), atol=1e-6)
    assert cuda.launched == 0


def test_addresses_that_do_not_come_again_are_not_collected(plan: Callable, runner: Callable, cuda: Any) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    kept = [loaded.allocate((2, 3, 16, 24), "fp32") for _ in range(MOST + 4)]
    for state in kept:
        loaded.run({**clip(2), "frames": state})
    assert cuda.launched == 0
    loaded.run({**clip(2), "frames": kept[-1]})
    assert cuda.launched == 1, "those of a scene that began late are recorded, too"
    loaded.run({**clip(2), "frames": kept[0]})
    assert cuda.launched == 1, "the first ones are forgotten"


def test_recordings_that_are_not_used_any_more_are_dropped(plan: Callable, runner: Callable, cuda: Any) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    kept = [loaded.allocate((2, 3, 16, 24), "fp32") for _ in range(MOST + 4)]
    for state in kept:
        for _ in range(2):
            loaded.run({**clip(2), "frames": state})
    assert cuda.launched == len(kept)
    assert cuda.recordings == MOST


class Foreign:
    """An array that another library has on the GPU."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array, self.shape = array, array.shape
        self.__cuda_array_interface__ = {
            "data": (array.ctypes.data, not array.flags.writeable),
            "shape": array.shape,
            "typestr": array.dtype.str,
            "strides": array.strides,
            "version": 3,
        }


class Shared:
    """The same by DLPack."""

    def __init__(self, array: NDArray[Any]) -> None:
        pytest.importorskip("cuda.core", reason="cuda-core is not installed")
        self.array, self.shape = array, array.shape

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, *, stream: int, max_version: tuple[int, int]) -> Any:
        assert stream == 7, "the runner's"
        return self.array.__dlpack__(max_version=max_version)


@pytest.mark.parametrize("wrap", [Foreign, Shared])
def test_arrays_of_other_libraries_are_used_where_they_lie(
    wrap: Any, plan: Callable, runner: Callable, cuda: Any
) -> None:
    inputs, loaded = clip(2), TensorRTRunner(plan(runner(brighten)))
    on_gpu = {name: wrap(aligned(array)) for name, array in inputs.items()}
    fill = wrap(aligned(np.zeros((2, 3, 16, 24), np.float32)))
    assert loaded.run_into(on_gpu, {"fill": fill}) == {}
    np.testing.assert_allclose(fill.array, brighten(inputs), atol=1e-6)
    assert cuda.copies == [], "nothing is copied"
    mixed = loaded.run_into({**inputs, "frames": on_gpu["frames"]}, {})
    np.testing.assert_allclose(mixed["fill"], brighten(inputs), atol=1e-6)
    assert cuda.copies == ["up"] * (len(CLIP_CHANNELS) - 1) + ["down"]
    with pytest.raises(ModelError, match=r"^model fake: frames is float64 on the GPU, expected float32$"):
        loaded.run_into({**inputs, "frames": wrap(inputs["frames"].astype(np.float64))}, {})
    with pytest.raises(ModelError, match=r"^model fake: hole is \(1, 1, 16, 24\), expected \(2, 1, 16, 24\)$"):
        loaded.run_into({**inputs, "hole": wrap(inputs["hole"][:1])}, {})
    fill.array.flags.writeable = False
    with pytest.raises(ModelError, match=r"^model fake: fill can only be read, expected an array to write to$"):
        loaded.run_into(inputs, {"fill": wrap(fill.array)})


def test_what_lies_on_the_cpu_goes_up_but_takes_no_output(plan: Callable, runner: Callable) -> None:
    torch = pytest.importorskip("torch")
    inputs, loaded = clip(2), TensorRTRunner(plan(runner(brighten)))
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    np.testing.assert_allclose(loaded.run_into(tensors, {})["fill"], brighten(inputs), atol=1e-6)
    for fill in (np.zeros((2, 3, 16, 24), np.float32), torch.zeros(2, 3, 16, 24)):
        with pytest.raises(ModelError, match=r"^model fake: fill lies on the CPU, expected CUDA device 0$"):
            loaded.run_into(inputs, {"fill": fill})
    with pytest.raises(ModelError, match=r"^model fake: has no output frames, expected one of fill$"):
        loaded.run_into(inputs, {"frames": inputs["frames"]})


def test_memory_is_given_as_zeros_that_other_libraries_take(plan: Callable, runner: Callable, cuda: Any) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    state = loaded.allocate((2, 3), "fp16")
    assert isinstance(state, DeviceArray)
    told = state.__cuda_array_interface__
    assert (told["shape"], told["typestr"], told["version"]) == ((2, 3), "<f2", 3)
    loaded.run(clip(2))
    assert not cuda.array(told["data"][0], (2, 3), np.float16).any()


@pytest.mark.parametrize("context", [5, 100, 0])
def test_a_context_that_was_current_is_so_again(
    context: int, plan: Callable, runner: Callable, cuda: Any, tensorrt: Any
) -> None:
    """All is done in the GPU's primary context, which is 100 here: the stand-in says so when it is not."""
    cuda.context = context
    loaded = TensorRTRunner(plan(runner(brighten)))
    assert cuda.context == (context or 100)
    state = loaded.allocate((2, 3, 16, 24), "fp32")
    loaded.copy_stream(state, state, 0)
    for fails in ("", "broken"):
        tensorrt.fails = fails
        with pytest.raises(BackendError) if fails else nullcontext():
            loaded.run_into(clip(2), {"fill": state} if fails else {})
        assert cuda.context == (context or 100)
    loaded.close()
    del loaded, state
    gc.collect()
    assert cuda.context == (context or 100)
    assert cuda.memory == {}


class Stream:
    """Another library's stream."""

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, 42


@pytest.mark.parametrize("stream", [42, np.int64(42), Stream()])
def test_what_another_library_has_queued_comes_first(stream: Any, plan: Callable, runner: Callable, cuda: Any) -> None:
    inputs, loaded = clip(2), TensorRTRunner(plan(runner(brighten)))
    late = Foreign(aligned(np.zeros((2, 3, 16, 24), np.float32)))
    for _ in range(3):  # the second run is recorded, the third launched
        late.array[:] = 0
        cuda.streams[42] = [lambda: np.copyto(late.array, inputs["frames"])]
        fill = loaded.run_into({**inputs, "frames": late}, {}, stream=stream)["fill"]
        np.testing.assert_allclose(fill, brighten(inputs), atol=1e-6)
    assert cuda.launched == 2


def test_a_stream_that_is_none(plan: Callable, runner: Callable, cuda: Any) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    with pytest.raises(InputError, match="stream is 'main', expected its handle, a number, or an object with __cuda_s"):
        loaded.run_into(clip(2), {}, stream="main")


@pytest.mark.parametrize("side", [20, 32, 300])
def test_a_video_of_any_size_through_a_plan(side: int, plan: Callable, step_runner: Callable) -> None:
    path = plan(step_runner(), sizes=SizeRange(Extent(1, 24, 24), Extent(1, 32, 32), Extent(1, 64, 48)))
    image, hole = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), bool)
    hole[side // 4 : side // 2, side // 4 : side // 2] = True
    settings = InpaintSettings(backend="tensorrt", flow_completion="smooth", scene_cuts=False, crop=False)
    with Inpainter(path, settings=settings) as inpainter:
        done = [frame for _ in range(5) for frame in inpainter.push(Frame(image, hole))] + inpainter.flush()
    assert len(done) == 5
    assert all(frame.patches for frame in done)


def test_what_another_thread_asks_for_is_no_part_of_a_recording(plan: Callable, runner: Callable, cuda: Any) -> None:
    loaded, states, threads = TensorRTRunner(plan(runner(brighten))), list[Any](), list[threading.Thread]()
    begin = cuda.cudaStreamBeginCapture

    def begin_and_let_another_come(*arguments: Any) -> Any:
        threads.append(threading.Thread(target=lambda: states.append(loaded.allocate((2, 3), "fp32"))))
        threads[0].start()
        threads[0].join(0.2)
        return begin(*arguments)

    cuda.cudaStreamBeginCapture = begin_and_let_another_come
    loaded.run(clip(2))
    loaded.run(clip(2))  # recorded
    threads[0].join(5)
    cuda.array(states[0].pointer, (2, 3), np.float32)[:] = 1
    for _ in range(2):
        loaded.run(clip(2))  # launched
    assert cuda.launched == 3
    np.testing.assert_array_equal(cuda.array(states[0].pointer, (2, 3), np.float32), 1)


def test_what_cannot_be_recorded_is_told_once(
    plan: Callable, runner: Callable, cuda: Any, caplog: pytest.LogCaptureFixture
) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    assert loaded.backend == "tensorrt (GPU 0, CUDA graphs)"
    cuda.records = False
    for _ in range(4):
        loaded.run(clip(2))
    (line,) = caplog.messages
    assert "a.plan: no CUDA graphs, each kernel is launched by itself (GPU 0: cudaStreamEndCapture failed" in line
    assert loaded.backend == "tensorrt (GPU 0)"


def test_sizes_that_the_plan_was_not_built_for(plan: Callable, runner: Callable, tensorrt: Any) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    with pytest.raises(BackendError, match="takes 1 x 8x8 to 6 x 64x64, got 2 x 72x16; build it for that: see --min"):
        loaded.run(clip(2, 16, 72))
    with pytest.raises(ModelError, match="input hole was not given"):
        loaded.run({name: array for name, array in clip(2).items() if name != "hole"})
    with pytest.raises(ModelError, match=r"hole is \(1, 1, 16, 24\), expected \(2, 1, 16, 24\)"):
        loaded.run({**clip(2), "hole": clip(1)["hole"]})
    loaded.run(clip(1))
    tensorrt.problems = ["no"]
    with pytest.raises(BackendError, match=r"TensorRT refuses frames of \(3, 3, 16, 24\) \(it does not say why\)"):
        loaded.run(clip(3))
    tensorrt.problems, tensorrt.fails = [], "broken"
    with pytest.raises(BackendError, match=r"TensorRT failed \(broken\)"):
        loaded.run(clip(2))


def test_closing_hides_nothing_of_what_a_gpu_failed_by(plan: Callable, runner: Callable, cuda: Any) -> None:
    with TensorRTRunner(plan(runner(brighten))) as loaded:
        loaded.run(clip(2))
        # From a fault on every call says so; the first one, of the run, is the one to be told of.
        cuda.cudaSetDevice = lambda index: (cuda.cudaError_t.cudaErrorInvalidValue,)
        with pytest.raises(BackendError, match="cudaSetDevice failed"):
            loaded.run(clip(2))


def test_what_failed_is_waited_for(plan: Callable, runner: Callable, cuda: Any, tensorrt: Any) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    tensorrt.fails = "broken"
    with pytest.raises(BackendError, match="broken"):
        loaded.run(clip(2))
    assert cuda.copies == ["up"] * len(CLIP_CHANNELS), "the next run may write to what they read"


def test_memory_that_tensorrt_does_not_take_is_refused(plan: Callable, runner: Callable, cuda: Any) -> None:
    loaded, inputs = TensorRTRunner(plan(runner(brighten))), clip(2)
    part = Foreign(aligned(np.zeros((3, 3, 16, 25), np.float32))[1:, ..., :24])
    part.__cuda_array_interface__["strides"] = None
    with pytest.raises(
        ModelError, match=r"frames lies at an address that is no multiple of 256, .* give a copy of its"
    ):
        loaded.run_into({**inputs, "frames": part}, {})


@pytest.mark.parametrize(
    ("context", "index", "why"),
    [
        (101, 1, "frames lies on CUDA device 1, expected CUDA device 0"),
        (5, 0, "frames is of another CUDA context, expected the primary one of CUDA device 0"),
        (100, 0, None),
        (0, 0, None),
    ],
)
def test_memory_of_another_gpu_or_context_is_refused(
    context: int, index: int, why: str | None, plan: Callable, runner: Callable, cuda: Any
) -> None:
    loaded, inputs = TensorRTRunner(plan(runner(brighten))), clip(2)
    frames = Foreign(aligned(inputs["frames"]))
    cuda.foreign[frames.array.ctypes.data] = context, index
    with pytest.raises(ModelError, match=f"^model fake: {why}$") if why else nullcontext():
        loaded.run_into({**inputs, "frames": frames}, {})


def test_memory_that_is_not_there(plan: Callable, runner: Callable, cuda: Any) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    cuda.most = 1000
    with pytest.raises(BackendError, match="GPU 0: no memory for 12 MB"):
        loaded.allocate((1000, 1000, 3), "fp32")


def test_files_and_backends_that_do_not_belong_together(plan: Callable, runner: Callable) -> None:
    path = plan(runner(brighten))
    with pytest.raises(
        InputError, match=r"backend onnxruntime runs ONNX files, got the plan .*expected backend tensorrt"
    ):
        open_runner(path, backend="onnxruntime")
    with pytest.raises(InputError, match=r"runs plans, got s.onnx; make one: ptfan build s -o s.plan"):
        open_runner(find_model("s"), backend="tensorrt")
    record_path(path).unlink()
    with pytest.raises(ModelError, match="is not beside it"):
        open_runner(path)


def test_the_table_says_whether_plans_can_run(cuda: Any, tensorrt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.engine.runners.trt.tensorrt_module.import_tensorrt", lambda name=None: tensorrt)
    status = backend_status("tensorrt")
    assert (status.usable, status.reason) == (True, "plans of `ptfan build`, by tensorrt 10.13.3.9 on GPU 0 (Orin)")
    cuda.count = 0
    status = backend_status("tensorrt")
    assert (status.usable, status.installed, status.reason) == (
        False,
        True,
        "GPU 0: CUDA finds none (cudaErrorNoDevice)",
    )


def test_the_table_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.engine.runners.trt.tensorrt_module.find_spec", lambda name: None)
    status = backend_status("tensorrt")
    assert (status.usable, status.installed) == (False, False)
    assert "pip install 'ptfan[tensorrt]'" in status.reason


@pytest.mark.gpu
def test_a_gpu_answers_as_the_cpu_does(tmp_path: Path) -> None:
    status = backend_status("tensorrt")
    if not status.usable:
        pytest.skip(f"needs a GPU and TensorRT: {status.reason}")
    build_plan("s-live", tmp_path / "s-live.plan")
    with open_runner(find_model("s-live"), backend="onnxruntime") as cpu, open_runner(tmp_path / "s-live.plan") as gpu:
        streams = [(clip(8, *size), Stepper(cpu, *size), Stepper(gpu, *size)) for size in ((64, 96), (96, 64))]
        for t in range(8):
            for inputs, slow, fast in streams:  # two sizes take turns
                step = step_inputs(inputs, t)
                np.testing.assert_allclose(fast.push(step), slow.push(step), atol=1e-3)


@pytest.mark.gpu
def test_a_gpu_takes_torch_s_tensors(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    status = backend_status("tensorrt")
    if not status.usable or not torch.cuda.is_available():
        pytest.skip(f"needs a GPU, TensorRT and a torch with CUDA: {status.reason}; torch {torch.__version__}")
    build_plan("s-live", tmp_path / "s-live.plan")
    with TensorRTRunner(tmp_path / "s-live.plan") as loaded:
        inputs, usual, shared = clip(8, 64, 96), Stepper(loaded, 64, 96), Stepper(loaded, 64, 96)
        for t in range(8):
            step = step_inputs(inputs, t)
            late = {name: torch.from_numpy(array).cuda(non_blocking=True) * 1.0 for name, array in step.items()}
            np.testing.assert_allclose(shared.push(late), usual.push(step), atol=1e-4)
