"""A TensorRT and a CUDA that only write down what they are asked for: no machine of these tests has a GPU."""

from __future__ import annotations

from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ptfan.engine.trt import build, gpu


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

    def __init__(self) -> None:
        super().__init__("tensorrt")
        self.configs: list[Config] = []
        self.libraries: list[str] = []
        self.inputs = [
            SimpleNamespace(name="frames", shape=(-1, 3, -1, -1)),
            SimpleNamespace(name="live", shape=(1, 2)),
        ]
        self.layers = ["CONVOLUTION"] + ["PLUGIN_V3"] * 12
        self.problems: list[str] = []
        """What the parser finds wrong."""
        self.fails = ""
        """What the builder says when it fails."""

    def get_plugin_registry(self) -> Any:
        return SimpleNamespace(load_library=lambda path: self.libraries.__iadd__([path]))

    def OnnxParser(self, network: Any, log: Any) -> Any:  # noqa: N802 - TensorRT's name
        return SimpleNamespace(
            parse_from_file=lambda path: not self.problems,
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


class Cuda:
    """`cuda.bindings.runtime`, as far as ptfan uses it."""

    class cudaError_t(IntEnum):  # noqa: N801 - CUDA's name
        cudaSuccess = 0  # noqa: N815
        cudaErrorMemoryAllocation = 2  # noqa: N815
        cudaErrorNoDevice = 100  # noqa: N815

    def __init__(self, capability: tuple[int, int] = (8, 7), count: int = 1) -> None:
        self.capability, self.count = capability, count
        self.device: int | None = None

    def cudaGetDeviceCount(self) -> tuple[Any, int]:  # noqa: N802
        error = self.cudaError_t
        return (error.cudaSuccess if self.count else error.cudaErrorNoDevice), self.count

    def cudaSetDevice(self, index: int) -> tuple[Any]:  # noqa: N802
        self.device = index
        return (self.cudaError_t.cudaSuccess,)

    def cudaGetDeviceProperties(self, index: int) -> tuple[Any, Any]:  # noqa: N802
        major, minor = self.capability
        return self.cudaError_t.cudaSuccess, SimpleNamespace(name=b"Orin", major=major, minor=minor)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    """Return the CUDA that the runtime finds."""
    found = Cuda()
    monkeypatch.setattr(gpu, "import_cuda", lambda: found)
    return found


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch) -> TensorRT:
    """Return the TensorRT that the runtime finds."""
    found = TensorRT()
    monkeypatch.setattr(build, "import_tensorrt", lambda name=None: found)
    return found
