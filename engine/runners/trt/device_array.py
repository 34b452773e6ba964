"""An array in a GPU's memory: the runner's own, or another library's where it lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ptfan.engine.errors import MissingExtraError, ModelError, one_line

__all__ = ["DeviceArray"]

ON_CPU, ON_CUDA = (1, 3), (2, 13)
"""DLPack's numbers of memory that is the CPU's (pageable, pinned), and that is CUDA's (a GPU's own, managed)."""


class DeviceArray:
    """An array in a GPU's memory, without gaps. Libraries that know `__cuda_array_interface__` take it as it is."""

    def __init__(
        self,
        pointer: int,
        shape: tuple[int, ...],
        dtype: Any,
        *,
        gpu: int,
        readonly: bool = False,
        owner: object = None,
    ) -> None:
        self.pointer, self.shape, self.dtype, self.readonly = pointer, shape, np.dtype(dtype), readonly
        self.gpu, self._owner = gpu, owner

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return int(math.prod(self.shape) * self.dtype.itemsize)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"data": (self.pointer, self.readonly), "shape": self.shape, "typestr": self.dtype.str, "version": 3}

    @classmethod
    def of(cls, what: str, value: Any, gpu: int, stream: int) -> DeviceArray | None:
        """Return what lies on a GPU, without a copy; None if it lies on the CPU.

        Args:
            what: its name in errors.
            value: an array, of this class or another library's. DLPack is asked first: it tells the device and lets the
                stream wait for whoever still writes. By `__cuda_array_interface__` they must have waited themselves.
            gpu: the GPU where it is wanted.
            stream: the stream, a number, on which it will be used.

        Raises:
            ModelError: it lies on another device, has gaps, or cannot be shared.
            MissingExtraError: cuda.core, which reads DLPack, is not installed.
        """
        if isinstance(value, DeviceArray):
            if value.gpu != gpu:
                raise ModelError(f"{what} lies on CUDA device {value.gpu}, expected CUDA device {gpu}")
            return value
        if hasattr(value, "__dlpack_device__"):
            return cls._of_dlpack(what, value, gpu, stream)
        told = getattr(value, "__cuda_array_interface__", None)
        if told is None:
            return None
        shape, dtype = tuple(told["shape"]), np.dtype(told["typestr"])
        _check_compact(what, shape, told.get("strides"), dtype.itemsize)
        pointer, readonly = told["data"]
        return cls(pointer, shape, dtype, gpu=gpu, readonly=readonly, owner=value)

    @classmethod
    def _of_dlpack(cls, what: str, value: Any, gpu: int, stream: int) -> DeviceArray | None:
        kind, index = map(int, value.__dlpack_device__())
        if kind in ON_CPU:
            return None
        if kind not in ON_CUDA or index != gpu:
            place = f"CUDA device {index}" if kind in ON_CUDA else f"a device of DLPack's type {kind}"
            raise ModelError(f"{what} lies on {place}, expected CUDA device {gpu}")
        view_class = _view_class()
        try:
            view = view_class.from_dlpack(value, stream_ptr=stream)
            array = cls(view.ptr, tuple(view.shape), view.dtype, gpu=gpu, readonly=view.readonly, owner=view)
        except Exception as error:  # the library's own, whose array it is
            raise ModelError(f"{what} cannot be shared by DLPack ({one_line(error, 200)})") from error
        _check_compact(what, array.shape, view.strides, 1)
        return array


def _view_class() -> Any:
    try:
        from cuda.core.utils import StridedMemoryView
    except ImportError as error:
        raise MissingExtraError("cuda-core is not installed: pip install 'ptfan[tensorrt]'") from error
    return StridedMemoryView


def _check_compact(what: str, shape: Sequence[int], strides: Sequence[int] | None, unit: int) -> None:
    """Refuse gaps, and other orders than C's; the stride of an axis with a single entry may be anything.

    Raises:
        ModelError: entries do not follow each other.
    """
    expected = unit
    for size, stride in zip(reversed(shape), reversed(strides or ()), strict=False):
        if size != 1 and stride != expected:
            raise ModelError(f"{what} has strides {tuple(strides or ())}, expected an array without gaps, in C's order")
        expected *= size
