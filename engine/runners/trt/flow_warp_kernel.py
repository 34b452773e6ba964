"""The FlowWarp kernel compiled where it runs: for those who have neither a CUDA compiler nor TensorRT's headers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import ptfan.plugins
from ptfan.engine.errors import BackendError, one_line
from ptfan.engine.runners.trt.gpu import import_cuda

__all__ = ["CONVENTIONS", "KernelName", "check_compiler", "compile_kernels", "launch_grid"]

KernelName = Literal["linear_fp32", "linear_fp16", "hwc8_fp16"]
SOURCES = Path(ptfan.plugins.__file__).parent
CONVENTIONS = {"pixel": 0, "tsam": 1}
"""The kernel's numbers for the warp's conventions."""
THREADS, CHANNELS_PER_THREAD = 256, 16
"""Threads of a block, and channels that one takes: as in flow_warp_kernels.cuh."""
MOST_FRAMES = 65535
"""Of a grid's third axis; a block then takes several."""


def check_compiler() -> None:
    """Check that this machine's driver runs what NVRTC makes; without a driver, nothing is checked.

    Raises:
        MissingExtraError: CUDA's bindings are not installed.
        BackendError: NVRTC is of a later CUDA, or is not there.
    """
    _, found = import_cuda().cudaDriverGetVersion()
    if not found:
        return
    from cuda.bindings import nvrtc

    try:
        _, major, minor = nvrtc.nvrtcVersion()
    except Exception as error:  # the bindings raise what belongs to another package
        raise BackendError(f"plugin python: NVRTC cannot be loaded ({one_line(error, 120)})") from error
    if major > found // 1000:
        raise BackendError(
            f"plugin python: NVRTC {major}.{minor} compiles for drivers of CUDA {major}, here is one of CUDA "
            f"{found // 1000}: pip uninstall nvidia-cuda-nvrtc, and pip install 'ptfan[tensorrt-cu12]'"
        )


@lru_cache(maxsize=8)
def compile_kernels(architecture: str) -> Any:
    """Compile the kernels' source, which comes with the package, by NVRTC. Needs no GPU.

    Args:
        architecture: of the GPU, `sm_87` for instance.

    Returns:
        A module of cuda.core; `get_kernel("ptfan_flow_warp_linear_fp16")` and so on give its kernels.
    """
    from cuda.core import Program, ProgramOptions

    options = ProgramOptions(arch=architecture, std="c++17", include_path=str(SOURCES))
    return Program('#include "flow_warp_kernels.cuh"\n', "c++", options).compile("cubin")


def launch_grid(
    kernel: KernelName, frames: int, channels: int, height: int, width: int, *, nonzero: bool
) -> tuple[int, int, int]:
    """Return the grid of blocks of `THREADS` threads; see flow_warp_kernels.cuh for what its axes are.

    Args:
        kernel: which of them.
        frames: N.
        channels: C.
        height: H.
        width: W.
        nonzero: the second output is wanted: a thread then takes all channels of a pixel.
    """
    places, chunks = height * width, 1 if nonzero else -(-channels // CHANNELS_PER_THREAD)
    if kernel == "hwc8_fp16":
        places, chunks = places * chunks, 1
    return -(-places // THREADS), chunks, min(frames, MOST_FRAMES)
