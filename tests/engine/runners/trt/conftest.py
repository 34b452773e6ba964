"""A TensorRT and a CUDA that only write down what they are asked for: no machine of these tests has a GPU."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.models import file_sha256
from ptfan.engine.runners.trt import build, device, gpu, plugin_choice, tensorrt_runner
from ptfan.engine.runners.trt.gpu import Gpu
from ptfan.engine.runners.trt.plan_record import PlanRecord, record_path
from ptfan.engine.runners.trt.sizes import SizeRange
from ptfan.engine.spec import CLIP_CHANNELS, ModelSpec


class Severity(IntEnum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2


class ILogger:
    INTERNAL_ERROR, ERROR, WARNING = Severity


class Config(SimpleNamespace):
    """A builder's settings, as they were made."""

    def __init__(self) -> None:
        super().__init__(flags={"TF32"}, profiles=[], cache=None, takes_cache=True)

    def set_flag(self, flag: str) -> None:
        self.flags.add(flag)

    def clear_flag(self, flag: str) -> None:
        self.flags.discard(flag)

    def add_optimization_profile(self, profile: Any) -> None:
        self.profiles.append(profile.shapes)

    def create_timing_cache(self, content: bytes) -> Any:
        return SimpleNamespace(content=content, serialize=lambda: content + b"+")

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        self.cache = cache
        return cache.content != b"of another" and not ignore_mismatch

    def get_timing_cache(self) -> Any:
        return self.cache


class Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, Any] = {}

    def set_shape(self, name: str, *shapes: Any) -> None:
        self.shapes[name] = shapes


class TensorRT(ModuleType):
    """The module `tensorrt`, as far as ptfan uses it. What was made stays in its lists."""

    __version__ = "10.13.3.9"
    ILogger = ILogger
    IProgressMonitor = type("IProgressMonitor", (), {})
    NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=2)
    BuilderFlag = SimpleNamespace(TF32="TF32", VERSION_COMPATIBLE="VERSION_COMPATIBLE")
    HardwareCompatibilityLevel = SimpleNamespace(AMPERE_PLUS="AMPERE_PLUS")
    LayerType = SimpleNamespace(PLUGIN_V3="PLUGIN_V3")
    TensorIOMode = SimpleNamespace(INPUT="in", OUTPUT="out")
    ExecutionContextAllocationStrategy = SimpleNamespace(STATIC="static", USER_MANAGED="user managed")
    DynamicShapesKernelSpecializationStrategy = SimpleNamespace(EAGER="eager")

    def __init__(self) -> None:
        super().__init__("tensorrt")
        self.configs: list[Config] = []
        self.libraries: list[str] = []
        self.parsed: list[bytes] = []
        self.inputs = [
            SimpleNamespace(name="frames", shape=(-1, 3, -1, -1)),
            SimpleNamespace(name="live", shape=(1, 2)),
        ]
        self.layers = ["CONVOLUTION"] + ["PLUGIN_V3"] * 12
        self.problems: list[str] = []
        """What the parser finds wrong."""
        self.fails = ""
        """What the builder says when it fails."""

        self.network: Any = None
        """What a plan computes: a network of the tests."""
        self.contexts: list[Context] = []
        self.compiled = b""
        """What TensorRT for RTX finds in its cache."""
        self.cuda: Any = None

    def Runtime(self, log: Any) -> Any:  # noqa: N802
        def deserialize(plan: bytes) -> Any:
            self.cuda.check_context()
            if self.fails:
                log.log(Severity.ERROR, self.fails)
                return None
            return Engine(self, log)

        self.runtime = SimpleNamespace(deserialize_cuda_engine=deserialize, engine_host_code_allowed=False)
        return self.runtime

    def nptype(self, dtype: Any) -> Any:
        return dtype

    def get_plugin_registry(self) -> Any:
        def load(path: str) -> Any:  # a name is taken once
            self.libraries.append(path)
            return object() if len(self.libraries) == 1 else None

        return SimpleNamespace(load_library=load)

    def OnnxParser(self, network: Any, log: Any) -> Any:  # noqa: N802 - TensorRT's name
        def parse(content: bytes) -> bool:
            self.parsed.append(content)
            return not self.problems

        return SimpleNamespace(
            parse=parse,
            num_errors=len(self.problems),
            get_error=lambda index: self.problems[index],
        )

    def Builder(self, log: Any) -> Any:  # noqa: N802
        network = SimpleNamespace(
            num_inputs=len(self.inputs),
            get_input=lambda index: self.inputs[index],
            num_layers=len(self.layers),
            get_layer=lambda index: SimpleNamespace(type=self.layers[index]),
        )

        def configure() -> Config:
            self.configs.append(Config())
            return self.configs[-1]

        def serialize(network: Any, config: Config) -> bytes | None:
            if self.fails:
                log.log(Severity.ERROR, self.fails)
                return None
            monitor = config.progress_monitor
            monitor.phase_start("Building engine", None, 3)
            monitor.phase_start("Tactics", "Building engine", 2)
            monitor.step_complete("Tactics", 0)
            monitor.phase_finish("Tactics")
            goes_on = all(monitor.step_complete("Building engine", step) for step in range(3))
            monitor.phase_finish("Building engine")
            return b"a plan" if goes_on else None

        return SimpleNamespace(
            create_network=lambda flags: network,
            create_builder_config=configure,
            create_optimization_profile=Profile,
            build_serialized_network=serialize,
        )


class RuntimeCache:
    """What TensorRT for RTX has compiled."""

    def __init__(self, trt: TensorRT) -> None:
        self._trt, self._content = trt, b""

    def deserialize(self, content: bytes) -> bool:
        self._trt.cuda.check_context()
        self._trt.compiled = content
        if content != b"of another":
            self._content = content
        return content != b"of another"

    def serialize(self) -> bytes:
        return self._content or b"kernels"


class RuntimeConfig:
    """How TensorRT for RTX makes contexts."""

    def __init__(self, trt: TensorRT) -> None:
        self._trt = trt
        self.strategy = trt.ExecutionContextAllocationStrategy.STATIC
        self.dynamic_shapes_kernel_specialization_strategy = "lazy"
        self.cache: Any = None

    def set_execution_context_allocation_strategy(self, strategy: str) -> None:
        self.strategy = strategy

    def create_runtime_cache(self) -> RuntimeCache:
        return RuntimeCache(self._trt)

    def set_runtime_cache(self, cache: RuntimeCache) -> bool:
        self.cache = cache
        return True


class Engine:
    """A plan that is loaded. One of TensorRT for RTX was built as ptfan does: it runs in memory that it is given."""

    device_memory_size_v2 = 512

    def __init__(self, trt: TensorRT, log: Any) -> None:
        self._trt, self.log, spec = trt, log, trt.network.spec
        half = np.float16 if spec.precision == "fp16" else np.float32
        self.inputs, self.outputs = spec.input_shapes(1, 8, 8), spec.output_shapes(1, 8, 8)
        single = {name for name in self.inputs if name.startswith(("flow", "live"))}
        self.types = {name: np.float32 if name in single else half for name in self.inputs | self.outputs}
        self.num_io_tensors = len(self.types)

    def get_tensor_name(self, index: int) -> str:
        return list(self.types)[index]

    def get_tensor_mode(self, name: str) -> str:
        return "in" if name in self.inputs else "out"

    def get_tensor_dtype(self, name: str) -> Any:
        return self.types[name]

    def create_runtime_config(self) -> RuntimeConfig:
        return RuntimeConfig(self._trt)

    def create_execution_context(self, how: Any = "static") -> Any:
        given = how.strategy if isinstance(how, RuntimeConfig) else how
        if self._trt.__name__ == "tensorrt_rtx" and given != "user managed":
            self.log.log(Severity.ERROR, "Engine was built with BuilderFlag::kREQUIRE_USER_ALLOCATION")
            return None
        self._trt.contexts.append(Context(self._trt, self, how, needs_memory=given == "user managed"))
        return self._trt.contexts[-1]


class Context:
    """Runs a network where its tensors lie, when the stream comes to it."""

    def __init__(self, trt: TensorRT, engine: Engine, how: Any, *, needs_memory: bool) -> None:
        self._trt, self._engine, self.how, self.log = trt, engine, how, engine.log
        self._needs_memory = needs_memory
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.addresses: dict[str, int] = {}
        self.memory = 0
        self.resized = 0
        self.runs = 0

    def set_device_memory(self, memory: int, size: int) -> None:
        assert memory % 256 == 0
        assert size >= self._engine.device_memory_size_v2
        self.memory = memory

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shapes[name] = shape
        self.resized += 1
        return not self._trt.problems

    def get_tensor_shape(self, name: str) -> list[int]:
        """Return it as a sequence that is no tuple, as TensorRT does."""
        frames, _, height, width = self.shapes["frames"]
        return list((self.shapes | self._trt.network.spec.output_shapes(frames, width, height))[name])

    def set_tensor_address(self, name: str, address: int) -> bool:
        if address % 256:
            self.log.log(Severity.ERROR, f"{name}: data must be aligned on 256 bytes")
            return False
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        if self._trt.fails:
            self.log.log(Severity.ERROR, self._trt.fails)
            return False
        if self._needs_memory and self.memory not in self._trt.cuda.memory:
            self.log.log(Severity.ERROR, "IExecutionContext::setDeviceMemoryV2 should be called before enqueue")
            return False
        frames, _, height, width = self.shapes["frames"]
        shapes = self.shapes | self._trt.network.spec.output_shapes(frames, width, height)
        arrays = {
            name: self._trt.cuda.array(self.addresses[name], shapes[name], self._engine.types[name]) for name in shapes
        }

        def run() -> None:
            self.runs += 1
            into = {name: arrays[name] for name in self._engine.outputs if name != "fill"}
            wide = {name: arrays[name].astype(np.float32) for name in self._engine.inputs}
            network = self._trt.network
            arrays["fill"][:] = (network.run_into(wide, into) if into else network.run(wide))["fill"]

        self._trt.cuda.queue(run)
        return True


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy that begins where CUDA's memory does: at a multiple of 256 bytes."""
    block = np.zeros(array.nbytes + 256, np.uint8)
    start = -block.ctypes.data % 256
    copy: NDArray[Any] = block[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def clip(frames: int, height: int = 16, width: int = 24) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    return {name: rng.random((frames, count, height, width), np.float32) for name, count in CLIP_CHANNELS.items()}


def brighten(inputs: Any) -> Any:
    return inputs["frames"] + 0.5 * inputs["hole"]


PRIMARY = 100
"""The primary context of GPU 0; the others' follow."""
STREAM = 7
"""The stream that is given out."""


class Cuda:
    """`cuda.bindings.runtime` and `driver`, as far as ptfan uses them: its memory is this machine's, and its stream
    waits until it is waited for."""

    class cudaError_t(IntEnum):  # noqa: N801 - CUDA's name
        cudaSuccess = 0  # noqa: N815
        cudaErrorInvalidValue = 1  # noqa: N815
        cudaErrorMemoryAllocation = 2  # noqa: N815
        cudaErrorNoDevice = 100  # noqa: N815
        cudaErrorStreamCaptureUnsupported = 900  # noqa: N815

    cudaMemcpyKind = SimpleNamespace(  # noqa: N815
        cudaMemcpyHostToDevice="up", cudaMemcpyDeviceToHost="down", cudaMemcpyDeviceToDevice="within"
    )
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal="thread")  # noqa: N815
    cudaStreamNonBlocking = 1  # noqa: N815
    cudaEventBlockingSync = 1  # noqa: N815
    cudaEventDisableTiming = 2  # noqa: N815
    CUpointer_attribute = SimpleNamespace(CU_POINTER_ATTRIBUTE_CONTEXT=1, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL=9)

    def __init__(self, capability: tuple[int, int] = (8, 7), count: int = 1) -> None:
        self.capability, self.count = capability, count
        self.device: int | None = None
        self.context = 0
        """What is current; 0 is none."""
        self.streams: dict[int, list[Callable[[], None]]] = {}
        """What waits on other libraries' streams."""
        self.events: dict[int, list[Callable[[], None]]] = {}
        self.memory: dict[int, Any] = {}
        self.foreign: dict[int, tuple[int, int]] = {}
        """Contexts (0 is none) and GPUs of other libraries' memory, as far as CUDA knows it."""
        self.allocated = 0
        self.most = 1 << 30
        """Bytes that one allocation may have."""
        self.records = True
        """Whether what is queued can be recorded."""
        self.launched = 0
        self.recordings = 0
        """Those that are there."""
        self.copies: list[str] = []
        self._waiting: list[Callable[[], None]] = []
        self._recording: list[Callable[[], None]] | None = None

    def array(self, address: int, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        """Return what lies at an address."""
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return np.ctypeslib.as_array((ctypes.c_uint8 * count).from_address(address)).view(dtype).reshape(shape)

    def queue(self, work: Callable[[], None]) -> None:
        """Do it later."""
        self.check_context()
        (self._waiting if self._recording is None else self._recording).append(work)

    def check_context(self) -> None:
        """Check that what is done is done in the primary context of the GPU."""
        assert self.context == PRIMARY + (self.device or 0)

    def cuCtxGetCurrent(self) -> tuple[Any, int]:  # noqa: N802
        return self.cudaError_t.cudaSuccess, self.context

    def cuCtxSetCurrent(self, context: int) -> tuple[Any]:  # noqa: N802
        self.context = context
        return (self.cudaError_t.cudaSuccess,)

    def cudaGetDeviceCount(self) -> tuple[Any, int]:  # noqa: N802
        error = self.cudaError_t
        return (error.cudaSuccess if self.count else error.cudaErrorNoDevice), self.count

    def cudaSetDevice(self, index: int) -> tuple[Any]:  # noqa: N802
        self.device, self.context = index, PRIMARY + index
        return (self.cudaError_t.cudaSuccess,)

    def cudaGetDeviceProperties(self, index: int) -> tuple[Any, Any]:  # noqa: N802
        major, minor = self.capability
        return self.cudaError_t.cudaSuccess, SimpleNamespace(name=b"Orin", major=major, minor=minor)

    def cudaMalloc(self, nbytes: int) -> tuple[Any, int]:  # noqa: N802
        self.check_context()
        if nbytes > self.most:
            return self.cudaError_t.cudaErrorMemoryAllocation, 0
        block = aligned(np.full(nbytes, 0x7F, np.uint8))  # whatever was there before
        self.memory[block.ctypes.data] = block
        self.allocated += 1
        return self.cudaError_t.cudaSuccess, block.ctypes.data

    def cuPointerGetAttribute(self, kind: int, pointer: int) -> tuple[Any, Any]:  # noqa: N802
        if pointer not in self.foreign:
            return self.cudaError_t.cudaErrorInvalidValue, None
        context, index = self.foreign[pointer]
        return self.cudaError_t.cudaSuccess, {1: context, 9: index}[kind]

    def cudaFree(self, address: int) -> tuple[Any]:  # noqa: N802
        self.check_context()
        del self.memory[address]
        return (self.cudaError_t.cudaSuccess,)

    cudaMallocHost, cudaFreeHost = cudaMalloc, cudaFree  # noqa: N815

    def cudaMemsetAsync(self, address: int, value: int, nbytes: int, stream: int) -> tuple[Any]:  # noqa: N802
        def fill() -> None:
            ctypes.memset(address, value, nbytes)

        self.queue(fill)
        return (self.cudaError_t.cudaSuccess,)

    def cudaMemcpyAsync(self, to: int, source: int, nbytes: int, kind: str, stream: int) -> tuple[Any]:  # noqa: N802
        def copy() -> None:
            self.copies.append(kind)
            ctypes.memmove(to, source, nbytes)

        self.queue(copy)
        return (self.cudaError_t.cudaSuccess,)

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Any, int]:  # noqa: N802
        self.check_context()
        return self.cudaError_t.cudaSuccess, STREAM

    def cudaStreamDestroy(self, stream: int) -> tuple[Any]:  # noqa: N802
        self.check_context()
        return (self.cudaError_t.cudaSuccess,)

    def cudaEventCreateWithFlags(self, flags: int) -> tuple[Any, int]:  # noqa: N802
        self.check_context()
        assert flags & self.cudaEventBlockingSync, "who waits for it keeps a core busy"
        return self.cudaError_t.cudaSuccess, 8

    cudaEventDestroy = cudaStreamDestroy  # noqa: N815

    def cudaEventRecord(self, event: int, stream: int) -> tuple[Any]:  # noqa: N802
        self.check_context()
        if stream == STREAM:
            self.events[event], self._waiting = self._waiting, []
        else:
            self.events[event] = self.streams.pop(stream, [])
        return (self.cudaError_t.cudaSuccess,)

    def cudaStreamWaitEvent(self, stream: int, event: int, flags: int) -> tuple[Any]:  # noqa: N802
        self.check_context()
        assert stream == STREAM
        self._waiting.extend(self.events[event])
        return (self.cudaError_t.cudaSuccess,)

    def cudaEventSynchronize(self, event: int) -> tuple[Any]:  # noqa: N802
        self.check_context()
        for work in self.events.pop(event):
            work()
        return (self.cudaError_t.cudaSuccess,)

    def cudaStreamBeginCapture(self, stream: int, mode: str) -> tuple[Any]:  # noqa: N802
        self._recording = []
        return (self.cudaError_t.cudaSuccess,)

    def cudaStreamEndCapture(self, stream: int) -> tuple[Any, Any]:  # noqa: N802
        graph, self._recording = self._recording, None
        error = self.cudaError_t
        return (error.cudaSuccess if self.records else error.cudaErrorStreamCaptureUnsupported), graph

    def cudaGraphInstantiate(self, graph: Any, flags: int) -> tuple[Any, Any]:  # noqa: N802
        self.recordings += 1
        return self.cudaError_t.cudaSuccess, tuple(graph)

    def cudaGraphDestroy(self, graph: Any) -> tuple[Any]:  # noqa: N802
        return (self.cudaError_t.cudaSuccess,)

    def cudaGraphExecDestroy(self, graph: Any) -> tuple[Any]:  # noqa: N802
        self.check_context()
        self.recordings -= 1
        return (self.cudaError_t.cudaSuccess,)

    def cudaGraphLaunch(self, graph: Any, stream: int) -> tuple[Any]:  # noqa: N802
        self.check_context()
        self.launched += 1
        self._waiting.extend(graph)
        return (self.cudaError_t.cudaSuccess,)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    """Return the CUDA that the runtime finds."""
    found = Cuda()
    for module in (gpu, device):
        monkeypatch.setattr(module, "import_cuda", lambda: found)
        monkeypatch.setattr(module, "import_driver", lambda: found)
    return found


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch, cuda: Cuda) -> TensorRT:
    """Return the TensorRT that the runtime finds."""
    found = TensorRT()
    found.cuda = cuda
    monkeypatch.setattr(plugin_choice, "_loaded", {})
    for module in (build, tensorrt_runner):
        monkeypatch.setattr(module, "import_tensorrt", lambda name=None: found)
    return found


@pytest.fixture
def plan(tmp_path: Path, tensorrt: TensorRT) -> Callable[..., Path]:
    """Return a function that saves a plan of a network of the tests, with changes to its record."""

    def save(network: Any, **changes: Any) -> Path:
        tensorrt.network, path = network, tmp_path / "a.plan"
        path.write_bytes(b"a plan")
        spec: ModelSpec = network.spec
        values: dict[str, Any] = {
            "spec": spec,
            "model": "tiny.onnx",
            "model_sha256": "a" * 64,
            "plan_sha256": file_sha256(path),
            "ptfan": "0.1.0",
            "tensorrt": "tensorrt",
            "tensorrt_version": tensorrt.__version__,
            "gpu": Gpu("Orin", (8, 7)),
            "sizes": SizeRange.of(spec, least=(8, 8), usual=(16, 16), most=(64, 64), frames=6),
            "plugin": "none",
        }
        record_path(path).write_text(PlanRecord(**values | changes).to_json(), encoding="utf-8")
        return path

    return save
