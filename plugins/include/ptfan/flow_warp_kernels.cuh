// The kernels, with C names, so that they can be found in a compiled module as well. To be included once in a program.
#pragma once

#include "flow_warp.cuh"

// Channels that a thread of the linear kernels takes: enough that the flow, which all of them read, hardly counts.
#define PTFAN_CHANNELS_PER_THREAD 16

// blockIdx.x and threadIdx.x: pixels; blockIdx.y: chunks of channels (one, with nonzero); blockIdx.z: frames.
#define PTFAN_LINEAR_KERNEL(NAME, T)                                                                                    \
    extern "C" __global__ void __launch_bounds__(256) NAME(T const* x, float const* flow, T const* validity,            \
        T const* fallback, T* y, T* nonzero, int frames, int channels, int height, int width, int convention,           \
        int requireNonzero) {                                                                                           \
        int const pixel = blockIdx.x * blockDim.x + threadIdx.x;                                                        \
        if (pixel >= height * width) {                                                                                  \
            return;                                                                                                     \
        }                                                                                                               \
        ptfan::Shape const shape = {channels, height, width, convention, requireNonzero};                               \
        int const chunk = nonzero != nullptr ? channels : PTFAN_CHANNELS_PER_THREAD;                                    \
        int const begin = blockIdx.y * chunk;                                                                           \
        int const end = begin + chunk < channels ? begin + chunk : channels;                                            \
        for (int frame = blockIdx.z; frame < frames; frame += gridDim.z) {                                              \
            ptfan::warpLinear<T>(x, flow, validity, fallback, y, nonzero, shape, frame, pixel, begin, end);             \
        }                                                                                                               \
    }

PTFAN_LINEAR_KERNEL(ptfan_flow_warp_linear_fp32, float)
PTFAN_LINEAR_KERNEL(ptfan_flow_warp_linear_fp16, ptfan::Half)

// blockIdx.x and threadIdx.x: pixels times groups of eight channels, groups first (pixels alone, with nonzero);
// blockIdx.z: frames.
extern "C" __global__ void __launch_bounds__(256) ptfan_flow_warp_hwc8_fp16(ptfan::Half const* x, float const* flow,
    ptfan::Half const* validity, ptfan::Half const* fallback, ptfan::Half* y, ptfan::Half* nonzero, int frames,
    int channels, int height, int width, int convention, int requireNonzero) {
    int const groups = (channels + 7) / 8;
    long long const place = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    int const pixel = static_cast<int>(nonzero != nullptr ? place : place / groups);
    if (pixel >= height * width) {
        return;
    }
    ptfan::Shape const shape = {channels, height, width, convention, requireNonzero};
    int const begin = nonzero != nullptr ? 0 : static_cast<int>(place % groups);
    int const end = nonzero != nullptr ? groups : begin + 1;
    for (int frame = blockIdx.z; frame < frames; frame += gridDim.z) {
        ptfan::warpHwc8(x, flow, validity, fallback, y, nonzero, shape, frame, pixel, begin, end);
    }
}
