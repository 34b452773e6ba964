// FlowWarp: features sampled along a flow where that is valid, a fallback elsewhere. What a kernel does for one pixel.
//
// Functions for host and device that need no header: nvcc, the runtime compiler (NVRTC) and any C++17 compiler read them, so
// that a processor can run the very same code in tests.
//
// Layouts of features: `linear` is (N, C, H, W); `hwc8` is (N, H, W, C rounded up to 8), fp16 alone, 16 bytes an access.
// Flow (N, 2, H, W) fp32 in pixels of H x W, validity (N, 1, H, W) and nonzero (N, 1, H, W) of the features' type are
// linear always.
#pragma once

#if defined(__CUDACC__)
#define PTFAN_HD __host__ __device__ __forceinline__
#else
#include <cmath>
#include <cstring>
#define PTFAN_HD inline
#endif

namespace ptfan {

// Where a pixel samples when the flow is zero: `pixel` at itself; `tsam` at p * W / (W - 1) - 0.5, the published network's
// grid, whose ends are the picture's edges instead of the outer pixels' centres.
enum Convention : int { kPixel = 0, kTsam = 1 };

// A number of 16 bits; sums are made in fp32. The runtime compiler has no header for it, so that it is converted here.
struct Half {
    unsigned short bits;
};

struct alignas(16) Half8 {
    Half values[8];
};

PTFAN_HD float toFloat(float value) {
    return value;
}

PTFAN_HD float toFloat(Half value) {
#if defined(__CUDA_ARCH__)
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
    return result;
#else
    unsigned int const sign = (value.bits & 0x8000u) << 16;
    unsigned int const exponent = (value.bits >> 10) & 0x1fu;
    unsigned int const fraction = value.bits & 0x3ffu;
    if (exponent == 0) {  // zero, or below the smallest normal number
        float const small = static_cast<float>(fraction) * 5.9604644775390625e-8f;  // 2^-24
        return sign ? -small : small;
    }
    unsigned int const bits = sign | ((exponent == 31 ? 255u : exponent + 112u) << 23) | (fraction << 13);
    float result;
    memcpy(&result, &bits, sizeof(result));
    return result;
#endif
}

template <typename T>
PTFAN_HD T fromFloat(float value);

template <>
PTFAN_HD float fromFloat<float>(float value) {
    return value;
}

template <>
PTFAN_HD Half fromFloat<Half>(float value) {
    Half result;
#if defined(__CUDA_ARCH__)
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
#else
    unsigned int bits;
    memcpy(&bits, &value, sizeof(bits));
    unsigned int const sign = (bits >> 16) & 0x8000u;
    unsigned int const magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        result.bits = static_cast<unsigned short>(sign | 0x7e00u);  // not a number
    } else if (magnitude >= 0x477ff000u) {
        result.bits = static_cast<unsigned short>(sign | 0x7c00u);  // rounds to infinity
    } else if (magnitude < 0x38800000u) {  // below the smallest normal number: in steps of 2^-24
        float absolute;
        memcpy(&absolute, &magnitude, sizeof(absolute));
        float const shifted = absolute + 0.5f;  // its last bit is worth 2^-24: the addition rounds to even
        unsigned int rounded;
        memcpy(&rounded, &shifted, sizeof(rounded));
        result.bits = static_cast<unsigned short>(sign | (rounded - 0x3f000000u));
    } else {
        unsigned int const rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);  // to the nearest, ties to even
        result.bits = static_cast<unsigned short>(sign | ((rounded - 0x38000000u) >> 13));
    }
#endif
    return result;
}

// The four pixels that a position lies between, and their weights; those outside of the picture weigh nothing.
struct Taps {
    int offset[4];
    float weight[4];
};

PTFAN_HD float restPosition(int index, int size, int convention) {
    if (convention == kPixel) {
        return static_cast<float>(index);
    }
    int const steps = size > 1 ? size - 1 : 1;
    return static_cast<float>(index) * static_cast<float>(size) / static_cast<float>(steps) - 0.5f;
}

PTFAN_HD Taps findTaps(float x, float y, int height, int width) {
    Taps taps = {{0, 0, 0, 0}, {0.0f, 0.0f, 0.0f, 0.0f}};
    // Also false for what is no number: nothing is looked up then.
    if (!(x > -1.0f && x < static_cast<float>(width) && y > -1.0f && y < static_cast<float>(height))) {
        return taps;
    }
    int const left = static_cast<int>(floorf(x));
    int const top = static_cast<int>(floorf(y));
    float const right_share = x - static_cast<float>(left);
    float const lower_share = y - static_cast<float>(top);
    for (int tap = 0; tap < 4; ++tap) {
        int const column = left + (tap & 1);
        int const row = top + (tap >> 1);
        bool const inside = column >= 0 && column < width && row >= 0 && row < height;
        float const across = (tap & 1) ? right_share : 1.0f - right_share;
        float const down = (tap >> 1) ? lower_share : 1.0f - lower_share;
        taps.offset[tap] = inside ? row * width + column : 0;
        taps.weight[tap] = inside ? across * down : 0.0f;
    }
    return taps;
}

// What is fixed for a launch.
struct Shape {
    int channels;
    int height;
    int width;
    int convention;
    int requireNonzero;
};

// Find where pixel `pixel` of frame `frame` samples.
PTFAN_HD Taps tapsOf(float const* flow, Shape const& shape, int frame, int pixel) {
    long long const plane = static_cast<long long>(shape.height) * shape.width;
    float const* const own = flow + 2 * plane * frame + pixel;
    float const x = restPosition(pixel % shape.width, shape.width, shape.convention) + own[0];
    float const y = restPosition(pixel / shape.width, shape.height, shape.convention) + own[plane];
    return findTaps(x, y, shape.height, shape.width);
}

template <typename T>
PTFAN_HD float sampled(T const* plane, Taps const& taps) {
    float sum = 0.0f;
    for (int tap = 0; tap < 4; ++tap) {
        // Always loaded, so that no load waits for another; a weight of 0 hides what is no number.
        float const value = toFloat(plane[taps.offset[tap]]);
        sum += taps.weight[tap] != 0.0f ? taps.weight[tap] * value : 0.0f;
    }
    return sum;
}

// Linear layout: channels [begin, end) of one pixel. With `nonzero`, begin and end are all channels.
template <typename T>
PTFAN_HD void warpLinear(T const* x, float const* flow, T const* validity, T const* fallback, T* y, T* nonzero,
    Shape const& shape, int frame, int pixel, int begin, int end) {
    long long const plane = static_cast<long long>(shape.height) * shape.width;
    bool usable = toFloat(validity[plane * frame + pixel]) > 0.5f;
    long long const first = plane * (static_cast<long long>(shape.channels) * frame);
    Taps const taps = tapsOf(flow, shape, frame, pixel);
    if (nonzero != nullptr) {
        float sum = 0.0f;
        for (int channel = 0; channel < shape.channels; ++channel) {
            sum += sampled(x + first + plane * channel, taps);
        }
        nonzero[plane * frame + pixel] = fromFloat<T>(sum != 0.0f ? 1.0f : 0.0f);
        usable = usable && (sum != 0.0f || !shape.requireNonzero);
    }
#if defined(__CUDA_ARCH__)
#pragma unroll 4
#endif
    for (int channel = begin; channel < end; ++channel) {
        long long const at = first + plane * channel;
        y[at + pixel] = usable ? fromFloat<T>(sampled(x + at, taps)) : fallback[at + pixel];
    }
}

PTFAN_HD void addTap(float* sums, Half8 const& values, float weight) {
    for (int channel = 0; channel < 8; ++channel) {
        sums[channel] += weight * toFloat(values.values[channel]);
    }
}

// Eight channels of one pixel in the hwc8 layout.
PTFAN_HD void sampledGroup(float* sums, Half8 const* frame, Taps const& taps, int groups, int group) {
    for (int channel = 0; channel < 8; ++channel) {
        sums[channel] = 0.0f;
    }
    for (int tap = 0; tap < 4; ++tap) {
        if (taps.weight[tap] != 0.0f) {
            addTap(sums, frame[static_cast<long long>(taps.offset[tap]) * groups + group], taps.weight[tap]);
        }
    }
}

// Channel-last layout: groups [begin, end) of eight channels of one pixel; see warpLinear. What fills up the last group is
// warped with the rest and never read.
PTFAN_HD void warpHwc8(Half const* x, float const* flow, Half const* validity, Half const* fallback, Half* y,
    Half* nonzero, Shape const& shape, int frame, int pixel, int begin, int end) {
    int const groups = (shape.channels + 7) / 8;
    long long const plane = static_cast<long long>(shape.height) * shape.width;
    bool usable = toFloat(validity[plane * frame + pixel]) > 0.5f;
    Half8 const* const source = reinterpret_cast<Half8 const*>(x) + plane * frame * groups;
    long long const own = (plane * frame + pixel) * groups;
    Taps const taps = tapsOf(flow, shape, frame, pixel);
    float sums[8];
    if (nonzero != nullptr) {
        float sum = 0.0f;
        for (int group = 0; group < groups; ++group) {
            sampledGroup(sums, source, taps, groups, group);
            for (int channel = 0; channel < 8 && 8 * group + channel < shape.channels; ++channel) {
                sum += sums[channel];
            }
        }
        nonzero[plane * frame + pixel] = fromFloat<Half>(sum != 0.0f ? 1.0f : 0.0f);
        usable = usable && (sum != 0.0f || !shape.requireNonzero);
    }
    for (int group = begin; group < end; ++group) {
        Half8 result;
        if (usable) {
            sampledGroup(sums, source, taps, groups, group);
            for (int channel = 0; channel < 8; ++channel) {
                result.values[channel] = fromFloat<Half>(sums[channel]);
            }
        } else {
            result = reinterpret_cast<Half8 const*>(fallback)[own + group];
        }
        reinterpret_cast<Half8*>(y)[own + group] = result;
    }
}

}  // namespace ptfan
