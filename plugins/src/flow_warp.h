// Launches FlowWarp. Knows only CUDA.
#pragma once

#include <cuda_runtime_api.h>

namespace ptfan {

enum class Type { kFp32, kFp16 };
enum class Layout { kLinear, kHwc8 };

// One call of the op; see ptfan/flow_warp.cuh for what the tensors are.
struct FlowWarp {
    void const* x;
    float const* flow;
    void const* validity;
    void const* fallback;
    void* y;
    void* nonzero;  // or nullptr: it is not wanted
    int frames;
    int channels;
    int height;
    int width;
    Type type;
    Layout layout;
    int convention;  // Convention
    bool requireNonzero;
};

// Enqueue the op on a stream of the current device. Pointers are on that device; those of the hwc8 layout are aligned to 16
// bytes; what is written overlaps nothing that is read. Returns cudaErrorInvalidValue where a size is below 1 or a frame
// takes more than 2^31 - 257 threads (one for a pixel, in the hwc8 layout for 16 channels of it), where fp32 is wanted in
// the hwc8 layout, or where nonzero is required and has no place to be written to.
cudaError_t enqueueFlowWarp(FlowWarp const& op, cudaStream_t stream) noexcept;

}  // namespace ptfan
