from __future__ import annotations

from typing import Any

import pytest

from ptfan.engine.errors import BackendError, InputError
from ptfan.engine.runners.trt.gpu import Gpu, find_gpu, take_gpu


def test_a_gpu_is_taken(cuda: Any) -> None:
    cuda.count = 2
    assert find_gpu(1) == Gpu("Orin", (8, 7))
    assert cuda.device is None, "looking changes nothing"
    assert take_gpu(1) == Gpu("Orin", (8, 7))
    assert cuda.device == 1


@pytest.mark.parametrize("name", ["cudaGetDeviceProperties", "cudaSetDevice"])
def test_a_gpu_that_fails_is_told(cuda: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    failed = cuda.cudaError_t.cudaErrorNoDevice, None
    monkeypatch.setattr(cuda, name, lambda index: failed if name == "cudaGetDeviceProperties" else failed[:1])
    with pytest.raises(BackendError, match=r"GPU 0: .* \(cudaErrorNoDevice\)"):
        take_gpu(0)


def test_there_is_none(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="device is 1, expected 0 to 0"):
        take_gpu(1)
    cuda.count = 0
    with pytest.raises(BackendError, match=r"GPU 0: CUDA finds none \(cudaErrorNoDevice\)"):
        take_gpu(0)

    def no_driver() -> None:
        raise RuntimeError("libcuda.so.1:\nnot found")

    monkeypatch.setattr(cuda, "cudaGetDeviceCount", no_driver)
    with pytest.raises(BackendError, match=r"GPU 0: there is no driver \(libcuda.so.1: not found\)"):
        take_gpu(0)
