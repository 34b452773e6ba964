// The kernels, with C names, so that they can be found in a compiled module as well. To be included once in a program.
#pragma once

#include "flow_warp.cuh"

// Threads of a block.
#define PTFAN_THREADS 256

// Blocks that are at work on a multiprocessor at once: each thread then has 64 registers, which hold all that it loads at
// once. Where it is not told, the assembler takes these loads apart again to spare registers, from capability 8.0 on.
#define PTFAN_BLOCKS 4

// Channels that a thread takes: enough that finding where to sample hardly counts. In the hwc8 layout, two groups of eight.
#define PTFAN_CHANNELS_PER_THREAD 16

// Nothing that is written overlaps what is read: `__restrict__` lets loads pass stores.
#define PTFAN_KERNEL(NAME, T)                                                                                           \
    extern "C" __global__ void __launch_bounds__(PTFAN_THREADS, PTFAN_BLOCKS) NAME(T const* __restrict__ x,             \
        float const* __restrict__ flow, T const* __restrict__ validity, T const* __restrict__ fallback,                 \
        T* __restrict__ y, T* __restrict__ nonzero, int frames, int channels, int height, int width, int convention,    \
        int requireNonzero)

// blockIdx.x and threadIdx.x: pixels; blockIdx.y: chunks of channels (one, with nonzero); blockIdx.z: frames.
#define PTFAN_LINEAR_KERNEL(NAME, T)                                                                                    \
    PTFAN_KERNEL(NAME, T) {                                                                                             \
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

// blockIdx.x and threadIdx.x: pixels times half of their groups of eight channels, these first (pixels alone, with nonzero):
// a thread takes a group and the one that lies half of them further. blockIdx.z: frames.
PTFAN_KERNEL(ptfan_flow_warp_hwc8_fp16, ptfan::Half) {
    unsigned int const lanes = nonzero != nullptr ? 1 : (channels - 1) / PTFAN_CHANNELS_PER_THREAD + 1;
    unsigned int const place = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned int const pixel = place / lanes;
    if (pixel >= static_cast<unsigned int>(height) * width) {
        return;
    }
    ptfan::Shape const shape = {channels, height, width, convention, requireNonzero};
    for (int frame = blockIdx.z; frame < frames; frame += gridDim.z) {
        ptfan::warpHwc8(x, flow, validity, fallback, y, nonzero, shape, frame, pixel, place % lanes, lanes);
    }
}
