#include "flow_warp.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "ptfan/flow_warp_kernels.cuh"

namespace ptfan {
namespace {

constexpr int kMostFrames = 65535;  // of a grid's z; a block then takes several

// Threads that a frame takes, for each chunk of channels.
std::int64_t placesOf(FlowWarp const& op) {
    bool const shared = op.nonzero == nullptr && op.layout == Layout::kHwc8;
    return static_cast<std::int64_t>(op.height) * op.width * (shared ? (op.channels - 1) / PTFAN_CHANNELS_PER_THREAD + 1 : 1);
}

bool isValid(FlowWarp const& op) {
    if (std::min({op.frames, op.channels, op.height, op.width}) < 1) {
        return false;
    }
    return placesOf(op) <= std::numeric_limits<int>::max() - PTFAN_THREADS
        && (op.layout == Layout::kLinear || op.type == Type::kFp16) && (!op.requireNonzero || op.nonzero != nullptr)
        && (op.convention == kPixel || op.convention == kTsam);
}

dim3 gridOf(FlowWarp const& op) {
    bool const chunked = op.nonzero == nullptr && op.layout == Layout::kLinear;
    int const chunks = chunked ? (op.channels - 1) / PTFAN_CHANNELS_PER_THREAD + 1 : 1;
    auto const blocks = static_cast<unsigned int>((placesOf(op) + PTFAN_THREADS - 1) / PTFAN_THREADS);
    return dim3(blocks, static_cast<unsigned int>(chunks), static_cast<unsigned int>(std::min(op.frames, kMostFrames)));
}

template <typename T>
void launch(void (*kernel)(T const*, float const*, T const*, T const*, T*, T*, int, int, int, int, int, int),
    FlowWarp const& op, cudaStream_t stream) {
    kernel<<<gridOf(op), PTFAN_THREADS, 0, stream>>>(static_cast<T const*>(op.x), op.flow, static_cast<T const*>(op.validity),
        static_cast<T const*>(op.fallback), static_cast<T*>(op.y), static_cast<T*>(op.nonzero), op.frames, op.channels,
        op.height, op.width, op.convention, op.requireNonzero ? 1 : 0);
}

}  // namespace

cudaError_t enqueueFlowWarp(FlowWarp const& op, cudaStream_t stream) noexcept {
    if (!isValid(op)) {
        return cudaErrorInvalidValue;
    }
    if (op.layout == Layout::kHwc8) {
        launch<Half>(ptfan_flow_warp_hwc8_fp16, op, stream);
    } else if (op.type == Type::kFp16) {
        launch<Half>(ptfan_flow_warp_linear_fp16, op, stream);
    } else {
        launch<float>(ptfan_flow_warp_linear_fp32, op, stream);
    }
    return cudaGetLastError();
}

}  // namespace ptfan
