"""The kernel's own code, compiled for the processor, against the warp that the network is trained with."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ptfan.training.model.align import flow_warp

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler is here")
    target = tmp_path_factory.mktemp("parity") / "parity.so"
    source, include = Path(__file__).parent / "parity.cpp", ROOT / "plugins" / "include"
    command = [compiler, "-std=c++17", "-O1", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(target)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(target))


def by_the_kernel(
    library: Any, inputs: tuple[Tensor, ...], convention: str, require_nonzero: bool
) -> tuple[Tensor, Tensor]:
    tensors = [tensor.contiguous() for tensor in inputs]
    y, nonzero = torch.full_like(tensors[0], 7), torch.full_like(tensors[2], 7)
    pointers = [ctypes.c_void_p(tensor.data_ptr()) for tensor in (*tensors, y, nonzero)]
    library.flow_warp_linear_fp32(*pointers, *inputs[0].shape, int(convention == "tsam"), int(require_nonzero))
    return y, nonzero


@settings(max_examples=80, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 12), st.integers(1, 12)),
    convention=st.sampled_from(["pixel", "tsam"]),
    require_nonzero=st.booleans(),
    longest=st.sampled_from([0.0, 0.5, 3.0, 50.0]),
    seed=st.integers(0, 10_000),
)
def test_the_kernel_warps_as_the_network_does(
    library: Any, shape: tuple[int, int, int, int], convention: Any, require_nonzero: bool, longest: float, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    frames, _, height, width = shape
    x, fallback = (torch.rand(shape, generator=random) for _ in range(2))
    x[..., : width // 3] = 0  # so that some sums are zero
    flow = longest * (2 * torch.rand(frames, 2, height, width, generator=random) - 1)
    validity = (torch.rand(frames, 1, height, width, generator=random) < 0.7).float()
    inputs = (x, flow, validity, fallback)
    y, nonzero = by_the_kernel(library, inputs, convention, require_nonzero)
    expected, expected_nonzero = flow_warp(*inputs, convention, require_nonzero)
    # Only a sum as small as rounding may be zero in one and not in the other.
    warped, _ = flow_warp(x, flow, torch.ones_like(validity), fallback, convention)
    agree = nonzero == expected_nonzero
    assert (agree | (warped.abs().sum(dim=1, keepdim=True) < 1e-5 * shape[1])).all()
    torch.testing.assert_close(y * agree, expected * agree, atol=2e-5, rtol=0)
