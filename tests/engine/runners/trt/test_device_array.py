"""Arrays of other libraries: real DLPack capsules of this machine's memory, said to be a GPU's."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import MissingExtraError, ModelError
from ptfan.engine.runners.trt.device_array import ON_CUDA, DeviceArray

STREAM = 7
NUMBERS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


class Exporter:
    """What a library has on a GPU, by DLPack."""

    def __init__(self, array: NDArray[Any], device: tuple[int, int] = (ON_CUDA[0], 0)) -> None:
        self.array, self.device, self.shape = array, device, array.shape
        self.streams: list[int | None] = []

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device

    def __dlpack__(self, *, stream: int | None = None, max_version: tuple[int, int] | None = None) -> Any:
        self.streams.append(stream)
        return self.array.__dlpack__(max_version=max_version)


class Interface:
    """What a library has on a GPU, by the array interface: pycuda's arrays always tell their strides."""

    def __init__(self, array: NDArray[Any], strides: tuple[int, ...] | None = None) -> None:
        self.array, self.shape = array, array.shape
        self.__cuda_array_interface__ = {
            "data": (array.ctypes.data, not array.flags.writeable),
            "shape": array.shape,
            "typestr": array.dtype.str,
            "strides": strides,
            "stream": None,
            "version": 3,
        }


def of(value: Any, gpu: int = 0) -> DeviceArray | None:
    return DeviceArray.of("frames", value, gpu, STREAM)


@pytest.mark.parametrize("kind", ON_CUDA)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8])
def test_dlpack_is_taken_where_it_lies(kind: int, dtype: Any) -> None:
    pytest.importorskip("cuda.core", reason="cuda-core is not installed")
    exporter = Exporter(NUMBERS.astype(dtype), (kind, 1))
    found = of(exporter, gpu=1)
    assert found is not None
    assert (found.pointer, found.shape, found.dtype) == (exporter.array.ctypes.data, (2, 3, 4), np.dtype(dtype))
    assert not found.readonly
    assert found.nbytes == exporter.array.nbytes
    assert exporter.streams == [STREAM], "the exporter makes the runner's stream wait for what it still writes"


def test_dlpack_says_what_can_only_be_read() -> None:
    pytest.importorskip("cuda.core", reason="cuda-core is not installed")
    array = NUMBERS.copy()
    array.flags.writeable = False
    found = of(Exporter(array))
    assert found is not None
    assert found.readonly


def test_dlpack_on_another_device_is_refused() -> None:
    for device, place in (((2, 1), "CUDA device 1"), ((10, 0), "a device of DLPack's type 10")):
        exporter = Exporter(NUMBERS, device)
        with pytest.raises(ModelError, match=f"^frames lies on {place}, expected CUDA device 0$"):
            of(exporter)
        assert exporter.streams == [], "nothing is exported for it"


def test_dlpack_that_cannot_be_shared_is_told_in_one_line() -> None:
    pytest.importorskip("cuda.core", reason="cuda-core is not installed")

    class Refuses(Exporter):
        def __dlpack__(self, **options: Any) -> Any:
            raise BufferError("this tensor\nneeds its gradient")

    with pytest.raises(ModelError, match=r"^frames cannot be shared by DLPack \(.*this tensor needs its gradient\)$"):
        of(Refuses(NUMBERS))


def test_dlpack_needs_cuda_core(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def lacking(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("cuda"):
            raise ImportError(name)
        return usual(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(MissingExtraError, match=r"cuda-core is not installed: pip install 'ptfan\[tensorrt\]'"):
        of(Exporter(NUMBERS))


@pytest.mark.parametrize("library", ["numpy", "torch", "pinned", "a list"])
def test_what_lies_on_the_cpu_is_none_of_a_gpu(library: str) -> None:
    values: dict[str, Any] = {"numpy": NUMBERS, "pinned": Exporter(NUMBERS, (3, 0)), "a list": [1.0]}
    if library == "torch":
        values["torch"] = pytest.importorskip("torch").from_numpy(NUMBERS)
    assert of(values[library]) is None


def test_the_array_interface_is_taken_with_and_without_strides() -> None:
    for strides in (None, NUMBERS.strides):
        found = of(Interface(NUMBERS, strides))
        assert found is not None
        assert (found.pointer, found.shape, found.dtype) == (NUMBERS.ctypes.data, (2, 3, 4), np.dtype(np.float32))
    array = NUMBERS.copy()
    array.flags.writeable = False
    readonly = of(Interface(array))
    assert readonly is not None
    assert readonly.readonly


def test_gaps_are_refused() -> None:
    pytest.importorskip("cuda.core", reason="cuda-core is not installed")
    for array in (NUMBERS[:, ::2], NUMBERS.transpose(1, 0, 2), NUMBERS[..., :2]):
        for value in (Exporter(array), Interface(array, array.strides)):
            with pytest.raises(ModelError, match=r"^frames has strides \(.*\), expected an array without gaps, in C's"):
                of(value)


def test_the_stride_of_a_single_entry_may_be_anything() -> None:
    assert of(Interface(NUMBERS[:1], (1000, 16, 4))) is not None


def test_an_array_of_the_runner_is_taken_as_it_is() -> None:
    array = DeviceArray(NUMBERS.ctypes.data, NUMBERS.shape, NUMBERS.dtype, gpu=0)
    assert of(array) is array
    told = of(Interface(NUMBERS))
    assert told is not None
    assert told.__cuda_array_interface__ == array.__cuda_array_interface__


def test_an_array_of_another_gpu_s_runner_is_refused() -> None:
    array = DeviceArray(NUMBERS.ctypes.data, NUMBERS.shape, NUMBERS.dtype, gpu=1)
    with pytest.raises(ModelError, match="frames lies on CUDA device 1, expected CUDA device 0"):
        of(array)
