from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.runners.trt.flow_warp_kernel import (
    CHANNELS_PER_THREAD,
    SOURCES,
    THREADS,
    compile_kernels,
    launch_grid,
)

KERNELS = ("linear_fp32", "linear_fp16", "hwc8_fp16")


def _ptx(architecture: str) -> str:
    """Return the kernels as text; cuda.core would ask the driver, which is not everywhere."""
    from cuda.bindings import nvrtc

    def answer(result: tuple[Any, ...]) -> Any:
        assert result[0] == nvrtc.nvrtcResult.NVRTC_SUCCESS
        return result[1] if len(result) > 1 else None

    program = answer(nvrtc.nvrtcCreateProgram(b'#include "flow_warp_kernels.cuh"\n', b"", 0, [], []))
    options = [f"-arch={architecture}".encode(), b"-std=c++17", f"-I{SOURCES}".encode()]
    answer(nvrtc.nvrtcCompileProgram(program, len(options), options))
    text = b" " * answer(nvrtc.nvrtcGetPTXSize(program))
    answer(nvrtc.nvrtcGetPTX(program, text))
    answer(nvrtc.nvrtcDestroyProgram(program))
    return text.decode()


@pytest.fixture
def compiler() -> None:
    pytest.importorskip("cuda.core", reason="cuda-core is not installed")
    from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib

    try:
        load_nvidia_dynamic_lib("nvrtc")
    except DynamicLibNotFoundError:
        pytest.skip("NVRTC is not installed")


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("architecture", ["sm_75", "sm_87", "sm_120"])
def test_the_kernels_compile_without_a_gpu(architecture: str) -> None:
    code = compile_kernels(architecture).code
    assert all(f"ptfan_flow_warp_{kernel}".encode() in code for kernel in KERNELS)


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("architecture", ["compute_75", "compute_90"])
@pytest.mark.parametrize(
    ("kernel", "load", "at_once"),
    [
        ("linear_fp32", r"ld\.global\.nc\.\w+32", 32),  # four taps of eight channels
        ("linear_fp16", r"ld\.global\.nc\.\w+16", 32),
        ("hwc8_fp16", r"ld\.global\.nc\.v4\.\w+32", 8),  # four taps of two groups of eight channels, 16 bytes each
    ],
)
def test_features_are_loaded_together_before_any_is_written(
    architecture: str, kernel: str, load: str, at_once: int
) -> None:
    # What a thread loads one by one, it waits for one by one: the share of the bandwidth that is used goes by this.
    body = _ptx(architecture).split(f".entry ptfan_flow_warp_{kernel}(")[1].split(".entry ")[0]
    longest = max(len(re.findall(load, part)) for part in re.split(r"st\.global|\$L__BB\w+:|\bbra\b", body))
    assert longest == at_once


def test_the_numbers_are_those_of_the_source() -> None:
    source = (SOURCES / "flow_warp_kernels.cuh").read_text(encoding="utf-8")
    assert f"#define PTFAN_CHANNELS_PER_THREAD {CHANNELS_PER_THREAD}\n" in source
    assert f"#define PTFAN_THREADS {THREADS}\n" in source


@given(
    kernel=st.sampled_from(KERNELS),
    sizes=st.tuples(st.integers(1, 100_000), st.integers(1, 300), st.integers(1, 300), st.integers(1, 300)),
    nonzero=st.booleans(),
)
def test_the_grid_covers_everything_and_little_more(kernel: Any, sizes: tuple[int, ...], nonzero: bool) -> None:
    frames, channels, height, width = sizes
    blocks, chunks, depth = launch_grid(kernel, frames, channels, height, width, nonzero=nonzero)
    threads = blocks * THREADS
    work = height * width
    if nonzero:
        assert chunks == 1
    elif kernel == "hwc8_fp16":
        work *= -(-channels // CHANNELS_PER_THREAD)
        assert chunks == 1
    else:
        assert (chunks - 1) * CHANNELS_PER_THREAD < channels <= chunks * CHANNELS_PER_THREAD
    assert threads - THREADS < work <= threads
    assert depth == min(frames, 65535)
