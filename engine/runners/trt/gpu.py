"""The GPU that is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ptfan.engine.errors import BackendError, InputError, MissingExtraError, one_line

__all__ = ["Gpu", "find_gpu", "import_cuda", "import_driver", "take_gpu"]


@dataclass(frozen=True)
class Gpu:
    """A GPU of this machine."""

    name: str
    """As its maker calls it."""
    capability: tuple[int, int]
    """Its compute capability: (8, 7) is Orin's."""


def import_cuda() -> Any:
    """Return CUDA's runtime, `cuda.bindings.runtime`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        from cuda.bindings import runtime
    except ImportError as error:
        raise MissingExtraError("cuda-bindings is not installed: pip install 'ptfan[tensorrt]'") from error
    return runtime


def import_driver() -> Any:
    """Return CUDA's driver, `cuda.bindings.driver`, which comes with the runtime.

    Raises:
        MissingExtraError: it is not installed.
    """
    import_cuda()
    from cuda.bindings import driver

    return driver


def find_gpu(index: int) -> Gpu:
    """Return what a GPU is; what the calling thread computes on stays as it is.

    Raises:
        MissingExtraError: CUDA's bindings are not installed.
        BackendError: there is no GPU, or no driver.
        InputError: there is no GPU of that number.
    """
    cuda = import_cuda()
    try:
        status, count = cuda.cudaGetDeviceCount()
    except Exception as error:  # the bindings raise what belongs to another package when there is no driver
        raise BackendError(f"GPU {index}: there is no driver ({one_line(error, 120)})") from error
    if status != cuda.cudaError_t.cudaSuccess or not count:
        raise BackendError(f"GPU {index}: CUDA finds none ({status.name})")
    if index >= count:
        raise InputError(f"device is {index}, expected 0 to {count - 1}: there are {count} GPUs")
    status, found = cuda.cudaGetDeviceProperties(index)
    if status != cuda.cudaError_t.cudaSuccess:
        raise BackendError(f"GPU {index}: its properties cannot be had ({status.name})")
    return Gpu(found.name.decode(), (found.major, found.minor))


def take_gpu(index: int) -> Gpu:
    """Let this thread compute on a GPU from now on; return what it is.

    Raises:
        MissingExtraError: CUDA's bindings are not installed.
        BackendError: there is no GPU, or no driver.
        InputError: there is no GPU of that number.
    """
    found = find_gpu(index)
    cuda = import_cuda()
    (status,) = cuda.cudaSetDevice(index)
    if status != cuda.cudaError_t.cudaSuccess:
        raise BackendError(f"GPU {index}: it cannot be computed on ({status.name})")
    return found
