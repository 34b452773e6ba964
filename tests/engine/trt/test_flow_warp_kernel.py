from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.trt.flow_warp_kernel import CHANNELS_PER_THREAD, SOURCES, THREADS, compile_kernels, launch_grid

KERNELS = ("linear_fp32", "linear_fp16", "hwc8_fp16")


@pytest.mark.parametrize("architecture", ["sm_75", "sm_87", "sm_120"])
def test_the_kernels_compile_without_a_gpu(architecture: str) -> None:
    pytest.importorskip("cuda.core", reason="cuda-core is not installed")
    from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib

    try:
        load_nvidia_dynamic_lib("nvrtc")
    except DynamicLibNotFoundError:
        pytest.skip("NVRTC is not installed")
    code = compile_kernels(architecture).code
    assert all(f"ptfan_flow_warp_{kernel}".encode() in code for kernel in KERNELS)


def test_the_numbers_are_those_of_the_source() -> None:
    source = (SOURCES / "flow_warp_kernels.cuh").read_text(encoding="utf-8")
    assert f"#define PTFAN_CHANNELS_PER_THREAD {CHANNELS_PER_THREAD}\n" in source
    assert f"__launch_bounds__({THREADS})" in source


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
        work *= -(-channels // 8)
        assert chunks == 1
    else:
        assert (chunks - 1) * CHANNELS_PER_THREAD < channels <= chunks * CHANNELS_PER_THREAD
    assert threads - THREADS < work <= threads
    assert depth == min(frames, 65535)
