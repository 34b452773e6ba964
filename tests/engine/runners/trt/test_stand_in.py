"""The stand-ins of these tests have nothing that the libraries do not have, and are called as these are."""

from __future__ import annotations

from typing import Any

import pytest

MEMBERS = {
    "IBuilderConfig": (
        "set_flag",
        "clear_flag",
        "add_optimization_profile",
        "create_timing_cache",
        "set_timing_cache",
        "get_timing_cache",
        "progress_monitor",
        "hardware_compatibility_level",
        "plugins_to_serialize",
    ),
    "Builder": ("create_network", "create_builder_config", "create_optimization_profile", "build_serialized_network"),
    "INetworkDefinition": ("num_inputs", "get_input", "num_layers", "get_layer"),
    "IOptimizationProfile": ("set_shape",),
    "OnnxParser": ("parse", "num_errors", "get_error"),
    "ITimingCache": ("serialize",),
    "Runtime": ("deserialize_cuda_engine", "engine_host_code_allowed"),
    "ICudaEngine": (
        "num_io_tensors",
        "get_tensor_name",
        "get_tensor_mode",
        "get_tensor_dtype",
        "create_execution_context",
        "create_runtime_config",
        "device_memory_size_v2",
    ),
    "IExecutionContext": (
        "set_device_memory",
        "set_input_shape",
        "get_tensor_shape",
        "set_tensor_address",
        "execute_async_v3",
        "is_stream_capturable",
    ),
    "IRuntimeConfig": (
        "dynamic_shapes_kernel_specialization_strategy",
        "set_execution_context_allocation_strategy",
        "create_runtime_cache",
        "set_runtime_cache",
    ),
    "IRuntimeCache": ("deserialize", "serialize"),
    "IPluginRegistry": ("load_library", "register_creator", "deregister_creator", "all_creators"),
    "ILogger": ("ERROR", "INTERNAL_ERROR", "log"),
    "IProgressMonitor": ("phase_start", "step_complete", "phase_finish"),
    "NetworkDefinitionCreationFlag": ("STRONGLY_TYPED",),
    "BuilderFlag": ("TF32", "VERSION_COMPATIBLE", "REQUIRE_USER_ALLOCATION"),
    "ExecutionContextAllocationStrategy": ("USER_MANAGED",),
    "DynamicShapesKernelSpecializationStrategy": ("EAGER",),
    "HardwareCompatibilityLevel": ("AMPERE_PLUS",),
    "LayerType": ("PLUGIN_V3",),
    "TensorIOMode": ("INPUT", "OUTPUT"),
}
"""What ptfan uses of TensorRT's classes."""


@pytest.mark.parametrize("kind", MEMBERS)
def test_tensorrt_has_what_is_used_of_it(kind: str) -> None:
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    assert [name for name in MEMBERS[kind] if not hasattr(getattr(trt, kind), name)] == []


def test_cuda_takes_what_the_runner_gives_it(cuda: Any) -> None:
    """Without a GPU every call fails, but as CUDA says it: with a status, and not for its arguments."""
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")
    if runtime.cudaGetDeviceCount()[0] == runtime.cudaError_t.cudaSuccess:
        pytest.skip("there is a GPU, on which pointers that lead nowhere do harm")
    up, thread = runtime.cudaMemcpyKind.cudaMemcpyHostToDevice, runtime.cudaStreamCaptureMode
    calls = {
        "cudaSetDevice": (0,),
        "cudaGetDeviceProperties": (0,),
        "cudaMalloc": (16,),
        "cudaFree": (0,),
        "cudaMallocHost": (16,),
        "cudaFreeHost": (0,),
        "cudaMemsetAsync": (0, 0, 16, 0),
        "cudaMemcpyAsync": (0, 0, 16, up, 0),
        "cudaStreamCreateWithFlags": (runtime.cudaStreamNonBlocking,),
        "cudaStreamDestroy": (0,),
        "cudaEventCreateWithFlags": (runtime.cudaEventDisableTiming | runtime.cudaEventBlockingSync,),
        "cudaEventSynchronize": (0,),
        "cudaEventDestroy": (0,),
        "cudaEventRecord": (0, 0),
        "cudaStreamWaitEvent": (0, 0, 0),
        "cudaStreamBeginCapture": (0, thread.cudaStreamCaptureModeThreadLocal),
        "cudaStreamEndCapture": (0,),
    }
    for name, arguments in calls.items():
        found = getattr(runtime, name)(*arguments)
        assert isinstance(found, tuple), name
        assert isinstance(found[0], runtime.cudaError_t), name
        mine = getattr(type(cuda), name)
        assert mine.__code__.co_argcount == len(arguments) + 1, name
    for name in ("cudaSuccess", "cudaErrorMemoryAllocation"):
        assert int(getattr(runtime.cudaError_t, name)) == int(getattr(cuda.cudaError_t, name))


def test_the_driver_has_what_the_runner_asks_it() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")
    driver = pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings is not installed")
    assert callable(driver.cuCtxGetCurrent)
    assert callable(driver.cuCtxSetCurrent)
    assert runtime.cudaError_t.cudaSuccess == driver.CUresult.CUDA_SUCCESS, "one check of the status is for both"
    kinds = driver.CUpointer_attribute
    for kind in (kinds.CU_POINTER_ATTRIBUTE_CONTEXT, kinds.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL):
        assert callable(driver.cuPointerGetAttribute), kind
    assert [int(driver.CUcontext(handle)) for handle in (0, 5)] == [0, 5], "no context is 0"
