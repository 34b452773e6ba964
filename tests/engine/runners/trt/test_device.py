"""What the runner needs of CUDA, on the stand-in, whose stream waits until it is waited for."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from ptfan.engine.errors import BackendError, InputError
from ptfan.engine.runners.trt.device import Device


@pytest.fixture
def device(cuda: Any) -> Any:
    """Return the GPU, current for as long as the test runs."""
    found = Device(0)
    with found.current():
        yield found


def test_memory_is_zeros_and_is_given_back_with_the_array(device: Device, cuda: Any) -> None:
    before = len(cuda.memory)
    array = device.allocate((2, 3), np.float16)
    assert (array.shape, array.dtype, array.gpu) == ((2, 3), np.float16, 0)
    assert not cuda.array(array.pointer, (2, 3), np.float16).any()
    nothing = device.allocate((0, 3), np.float32)
    assert nothing.nbytes == 0
    del array, nothing
    gc.collect()
    assert len(cuda.memory) == before


def test_memory_that_is_not_there_is_told_in_megabytes(device: Device, cuda: Any) -> None:
    cuda.most = 1000
    with pytest.raises(BackendError, match=r"^GPU 0: no memory for 4 MB$"):
        device.allocate((1000, 1000), np.float32)


@pytest.mark.parametrize("side", ["cudaMalloc", "cudaMallocHost"])
def test_one_side_is_given_back_where_there_is_no_memory_for_the_other(device: Device, cuda: Any, side: str) -> None:
    before = set(cuda.memory)
    setattr(cuda, side, lambda nbytes: (cuda.cudaError_t.cudaErrorMemoryAllocation, 0))
    with pytest.raises(BackendError, match=r"^GPU 0: no memory for 4 MB$"):
        device.stage(4_000_000)
    gc.collect()
    assert set(cuda.memory) == before


def test_a_gpu_that_has_failed_takes_nothing_back_and_nothing_is_said(device: Device, cuda: Any) -> None:
    array = device.allocate((2, 3), np.float16)
    cuda.cudaFree = lambda address: (cuda.cudaError_t.cudaErrorInvalidValue,)
    del array
    gc.collect()  # what a finalizer raises is printed with its traceback, which is an error here


def test_what_goes_up_comes_down_when_it_is_waited_for(device: Device, cuda: Any) -> None:
    staging = device.stage(64)
    view = staging.view((2, 4), np.float32)
    view[:] = np.arange(8).reshape(2, 4)
    device.upload(staging, view.nbytes)
    assert cuda.copies == [], "it is queued"
    device.wait()
    np.testing.assert_array_equal(cuda.array(staging.device.pointer, (2, 4), np.float32), view)
    view[:] = 0
    device.download(staging, view.nbytes)
    device.wait()
    np.testing.assert_array_equal(view, np.arange(8).reshape(2, 4))
    assert cuda.copies == ["up", "down"]


def test_one_entry_is_copied_and_no_other(device: Device, cuda: Any) -> None:
    source, into = (device.allocate((3, 2), np.float32) for _ in range(2))
    cuda.array(source.pointer, (3, 2), np.float32)[:] = 5
    device.copy_part(source, into, 1)
    device.wait()
    np.testing.assert_array_equal(cuda.array(into.pointer, (3, 2), np.float32), [[0, 0], [5, 5], [0, 0]])


def test_recorded_work_is_done_as_often_as_it_is_launched(device: Device, cuda: Any) -> None:
    done: list[str] = []
    launch = device.record(lambda: cuda.queue(lambda: done.append("work")))
    device.wait()
    assert done == [], "recording does nothing"
    for _ in range(2):
        launch()
    device.wait()
    assert done == ["work", "work"]
    del launch
    gc.collect()
    assert cuda.recordings == 0


def test_work_that_fails_ends_the_recording(device: Device, cuda: Any) -> None:
    def fail() -> None:
        raise KeyError("work")

    with pytest.raises(KeyError, match="work"):
        device.record(fail)
    cuda.queue(lambda: None)
    device.wait()
    cuda.records = False
    with pytest.raises(
        BackendError, match=r"^GPU 0: cudaStreamEndCapture failed \(cudaErrorStreamCaptureUnsupported\)$"
    ):
        device.record(lambda: None)


def test_nothing_is_collected_while_work_is_recorded(device: Device) -> None:
    collects: list[bool] = []
    device.record(lambda: collects.append(gc.isenabled()))
    assert (collects, gc.isenabled()) == ([False], True)
    gc.disable()
    device.record(lambda: collects.append(gc.isenabled()))
    assert not gc.isenabled()
    gc.enable()


def test_a_stream_is_named_by_a_number_or_an_object_that_has_one(device: Device, cuda: Any) -> None:
    done: list[str] = []
    cuda.streams[42] = [lambda: done.append("theirs")]
    device.follow(np.int64(42))
    device.wait()
    assert done == ["theirs"]
    with pytest.raises(InputError, match="stream is 'main', expected its handle"):
        device.follow("main")


def test_a_gpu_that_is_not_there(cuda: Any) -> None:
    with pytest.raises(InputError, match="device is 1, expected 0 to 0"):
        Device(1)
