"""A GPU's memory and one queue of work: what the runner needs of CUDA, each call checked."""

from __future__ import annotations

import ctypes
import gc
import math
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, InputError, ModelError
from ptfan.engine.runners.trt.device_array import DeviceArray
from ptfan.engine.runners.trt.gpu import find_gpu, import_cuda, import_driver

__all__ = ["Device", "Staging"]

RECORDING = threading.Lock()
"""Is held while launches are recorded, by whichever runner."""


class Device:
    """A GPU, used by one runner."""

    def __init__(self, index: int) -> None:
        """Take a GPU.

        Raises:
            MissingExtraError: CUDA's bindings are not installed.
            BackendError: there is no GPU.
            InputError: there is none of that number.
        """
        self.index, self.gpu = index, find_gpu(index)
        self._cuda, self._driver = import_cuda(), import_driver()
        self._call = _Calls(self._cuda, self._driver, index)
        with self.current():
            self.stream = int(self._call("cudaStreamCreateWithFlags", self._cuda.cudaStreamNonBlocking))
            self._call.at_end_of(self, "cudaStreamDestroy", self.stream)
            flags = self._cuda.cudaEventDisableTiming | self._cuda.cudaEventBlockingSync
            self._event = self._call("cudaEventCreateWithFlags", flags)
            self._call.at_end_of(self, "cudaEventDestroy", self._event)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Let the calling thread compute here; all that follows needs that.

        It is done in the GPU's primary context, which other libraries of CUDA's runtime share: it is not made anew, and
        not ended. A context that was current before, a library's own for instance, is current again afterwards.
        """
        with self._call.current():
            yield

    def follow(self, stream: Any) -> None:
        """Let what is queued from now on wait for what is on another stream by now.

        Args:
            stream: its handle, a number, or an object with `__cuda_stream__`.

        Raises:
            InputError: it is neither.
            BackendError: it is not one of this GPU's primary context.
        """
        self._call("cudaEventRecord", self._event, _handle(stream))
        self._call("cudaStreamWaitEvent", self.stream, self._event, 0)

    def check_home(self, what: str, pointer: int) -> None:
        """Check that another library's memory is of this GPU and its primary context; what CUDA does not know passes.

        Args:
            what: its name in errors.
            pointer: where it begins.

        Raises:
            ModelError: it is another GPU's or context's.
        """
        kinds = self._driver.CUpointer_attribute
        index = self._told(kinds.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, pointer)
        if index not in (None, self.index):
            raise ModelError(f"{what} lies on CUDA device {index}, expected CUDA device {self.index}")
        context = self._told(kinds.CU_POINTER_ATTRIBUTE_CONTEXT, pointer)
        if context and context != int(self._call("cuCtxGetCurrent")):  # memory of pools is of none
            raise ModelError(f"{what} is of another CUDA context, expected the primary one of CUDA device {self.index}")

    def allocate(self, shape: tuple[int, ...], dtype: Any) -> DeviceArray:
        """Return zeros; the memory is given back with the array.

        Raises:
            BackendError: there is not so much memory.
        """
        nbytes = math.prod(shape) * np.dtype(dtype).itemsize
        pointer = int(self._call("cudaMalloc", max(nbytes, 1)))
        array = DeviceArray(pointer, shape, dtype, gpu=self.index)
        self._call.at_end_of(array, "cudaFree", pointer)
        self._call("cudaMemsetAsync", pointer, 0, nbytes, self.stream)
        self.wait()  # other libraries, which may write to it, do not know this stream
        return array

    def copy_part(self, source: DeviceArray, into: DeviceArray, index: int) -> None:
        """Queue a copy of one entry of the first axis."""
        part = into.nbytes // into.shape[0]
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        places = (array.pointer + index * part for array in (into, source))
        self._call("cudaMemcpyAsync", *places, part, kind, self.stream)

    def stage(self, nbytes: int) -> Staging:
        """Return memory on both sides for a tensor of at most so many bytes."""
        device = self.allocate((nbytes,), np.uint8)  # first: it gives itself back where there is no more for the host
        address = int(self._call("cudaMallocHost", nbytes))
        host = np.ctypeslib.as_array((ctypes.c_uint8 * nbytes).from_address(address))
        staging = Staging(address, host, device)
        self._call.at_end_of(staging, "cudaFreeHost", address)
        return staging

    def upload(self, staging: Staging, nbytes: int) -> None:
        """Queue a copy to the GPU."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", staging.device.pointer, staging.address, nbytes, kind, self.stream)

    def download(self, staging: Staging, nbytes: int) -> None:
        """Queue a copy from the GPU."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", staging.address, staging.device.pointer, nbytes, kind, self.stream)

    def wait(self) -> None:
        """Wait until all that was queued is done.

        CUDA's wait for a stream keeps a core busy, which decoding, flow and encoding could use; that for an event of
        this kind sleeps.
        """
        self._call("cudaEventRecord", self._event, self.stream)
        self._call("cudaEventSynchronize", self._event)

    def record(self, work: Callable[[], None]) -> Callable[[], object]:
        """Record what some work queues, without doing it; return what does it, in one launch.

        Raises:
            BackendError: something in it cannot be recorded.
        """
        mode = self._cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", self.stream, mode)
        try:
            with _nothing_collected():
                work()
        except BaseException:
            with suppress(BackendError):  # it would hide what went wrong; else the stream could be used no more
                self._call("cudaGraphDestroy", self._call("cudaStreamEndCapture", self.stream))
            raise
        graph = self._call("cudaStreamEndCapture", self.stream)
        try:
            ready = self._call("cudaGraphInstantiate", graph, 0)
        finally:
            self._call("cudaGraphDestroy", graph)
        launch = partial(self._call, "cudaGraphLaunch", ready, self.stream)
        self._call.at_end_of(launch, "cudaGraphExecDestroy", ready)
        return launch

    def _told(self, kind: Any, pointer: int) -> int | None:
        status, found = self._driver.cuPointerGetAttribute(kind, pointer)
        return int(found) if status == self._cuda.cudaError_t.cudaSuccess else None


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Keep Python's collector away: memory that it gives back meanwhile, in this thread, would spoil a recording."""
    with RECORDING:  # there is one collector for all threads: another's recording must not turn it on again
        collects = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if collects:
                gc.enable()


def _handle(stream: Any) -> int:
    if hasattr(stream, "__cuda_stream__"):
        _, stream = stream.__cuda_stream__()
    try:
        return int(stream)  # also the bindings' own classes, and NumPy's
    except (TypeError, ValueError) as error:
        raise InputError(
            f"stream is {stream!r}, expected its handle, a number, or an object with __cuda_stream__"
        ) from error


class _Calls:
    """CUDA's functions by name."""

    def __init__(self, cuda: Any, driver: Any, gpu: int) -> None:
        self._cuda, self._driver, self._gpu = cuda, driver, gpu

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Call one; return its result, None if it has none."""
        library = self._cuda if name.startswith("cuda") else self._driver
        status, *results = getattr(library, name)(*arguments)
        errors = self._cuda.cudaError_t
        if status == errors.cudaErrorMemoryAllocation:
            what = f"{arguments[0] / 1e6:.0f} MB" if name.startswith("cudaMalloc") else name
            raise BackendError(f"GPU {self._gpu}: no memory for {what}")
        if status != errors.cudaSuccess:
            raise BackendError(f"GPU {self._gpu}: {name} failed ({status.name})")
        return results[0] if results else None

    @contextmanager
    def current(self) -> Iterator[None]:
        """See `Device.current`."""
        before = self("cuCtxGetCurrent")
        self("cudaSetDevice", self._gpu)
        try:
            yield
        finally:
            if int(before):
                self("cuCtxSetCurrent", before)

    def at_end_of(self, owner: Any, name: str, resource: Any) -> None:
        """Call one when an object goes; when the whole process does, CUDA tidies up by itself."""
        weakref.finalize(owner, self._end, name, resource).atexit = False

    def _end(self, name: str, resource: Any) -> None:
        # A GPU that has failed takes nothing back, and has told so where it failed: here nobody could catch it.
        with suppress(BackendError), self.current():  # objects go in any thread, while anything is current
            self(name, resource)


class Staging:
    """Memory of one size on both sides, for what goes up or comes down at every run."""

    def __init__(self, address: int, host: NDArray[np.uint8], device: DeviceArray) -> None:
        self.address, self.device = address, device
        self._host = host

    def view(self, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        """Return the host's side as an array."""
        count = math.prod(shape) * np.dtype(dtype).itemsize
        array: NDArray[Any] = self._host[:count].view(dtype).reshape(shape)
        return array
