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
#define PTFAN_UNROLL _Pragma("unroll")
#else
#include <cmath>
#include <cstring>
#define PTFAN_HD inline
#define PTFAN_UNROLL
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

// The four pixels that a position lies between, and their weights; where it lies outside of the picture, none.
struct Taps {
    int offset[4];
    float weight[4];
    bool inside;
};

PTFAN_HD float restPosition(int index, int size, int convention) {
    if (convention == kPixel) {
        return static_cast<float>(index);
    }
    int const steps = size > 1 ? size - 1 : 1;
    return static_cast<float>(index) * static_cast<float>(size) / static_cast<float>(steps) - 0.5f;
}

// Two neighbours on one axis, and their shares. One that is outside, or weighs nothing, is replaced by the other: what is
// looked up there is no number only where the answer is none either, so that no load and no sum has to ask.
struct Pair {
    int index[2];
    float share[2];
};

PTFAN_HD Pair findPair(float position, int size) {
    int const first = static_cast<int>(floorf(position));
    float const behind = position - static_cast<float>(first);
    Pair pair = {{first, first + 1}, {first < 0 ? 0.0f : 1.0f - behind, first + 1 < size ? behind : 0.0f}};
    pair.index[0] = pair.share[0] == 0.0f ? pair.index[1] : pair.index[0];
    pair.index[1] = pair.share[1] == 0.0f ? pair.index[0] : pair.index[1];
    return pair;
}

PTFAN_HD Taps findTaps(float x, float y, int height, int width) {
    Taps taps = {{0, 0, 0, 0}, {0.0f, 0.0f, 0.0f, 0.0f}, false};
    // Also false for what is no number: nothing is looked up then.
    taps.inside = x > -1.0f && x < static_cast<float>(width) && y > -1.0f && y < static_cast<float>(height);
    if (!taps.inside) {
        return taps;
    }
    Pair const columns = findPair(x, width);
    Pair const rows = findPair(y, height);
    for (int tap = 0; tap < 4; ++tap) {
        taps.offset[tap] = rows.index[tap >> 1] * width + columns.index[tap & 1];
        taps.weight[tap] = rows.share[tap >> 1] * columns.share[tap & 1];
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
    float const across = own[0];
    float const down = own[plane];
    float const x = restPosition(pixel % shape.width, shape.width, shape.convention) + across;
    float const y = restPosition(pixel / shape.width, shape.height, shape.convention) + down;
    return findTaps(x, y, shape.height, shape.width);
}

// Channels that a thread of the linear kernels samples at once. All are loaded before the first is used: a thread that
// waits for memory channel by channel leaves most of the bandwidth to nobody.
constexpr int kBatch = 8;

// Sample `count` planes that follow each other.
template <int count, typename T>
PTFAN_HD void samplePlanes(float* sums, T const* planes, long long plane, Taps const& taps) {
    T values[count][4];
    PTFAN_UNROLL
    for (int channel = 0; channel < count; ++channel) {
        PTFAN_UNROLL
        for (int tap = 0; tap < 4; ++tap) {
            values[channel][tap] = planes[plane * channel + taps.offset[tap]];
        }
    }
    PTFAN_UNROLL
    for (int channel = 0; channel < count; ++channel) {
        float sum = 0.0f;
        PTFAN_UNROLL
        for (int tap = 0; tap < 4; ++tap) {
            sum += taps.weight[tap] * toFloat(values[channel][tap]);
        }
        sums[channel] = taps.inside ? sum : 0.0f;
    }
}

template <int count, typename T>
PTFAN_HD float sumOfPlanes(T const* planes, long long plane, Taps const& taps) {
    float sums[count];
    samplePlanes<count>(sums, planes, plane, taps);
    float sum = 0.0f;
    PTFAN_UNROLL
    for (int channel = 0; channel < count; ++channel) {
        sum += sums[channel];
    }
    return sum;
}

// `fallback` and `y` point at the pixel in the first of the planes, `planes` at that plane.
template <int count, typename T>
PTFAN_HD void warpPlanes(T const* planes, T const* fallback, T* y, long long plane, Taps const& taps, bool usable) {
    T values[count];
    if (usable) {
        float sums[count];
        samplePlanes<count>(sums, planes, plane, taps);
        PTFAN_UNROLL
        for (int channel = 0; channel < count; ++channel) {
            values[channel] = fromFloat<T>(sums[channel]);
        }
    } else {
        PTFAN_UNROLL
        for (int channel = 0; channel < count; ++channel) {
            values[channel] = fallback[plane * channel];
        }
    }
    PTFAN_UNROLL
    for (int channel = 0; channel < count; ++channel) {
        y[plane * channel] = values[channel];
    }
}

// Write whether the channels' sum is anything but zero; return whether the pixel is still usable.
template <typename T>
PTFAN_HD bool noteNonzero(T* nonzero, float sum, bool usable, Shape const& shape) {
    *nonzero = fromFloat<T>(sum != 0.0f ? 1.0f : 0.0f);
    return usable && (sum != 0.0f || !shape.requireNonzero);
}

// Linear layout: channels [begin, end) of one pixel. With `nonzero`, begin and end are all channels.
template <typename T>
PTFAN_HD void warpLinear(T const* x, float const* flow, T const* validity, T const* fallback, T* y, T* nonzero,
    Shape const& shape, int frame, int pixel, int begin, int end) {
    long long const plane = static_cast<long long>(shape.height) * shape.width;
    long long const first = plane * (static_cast<long long>(shape.channels) * frame);
    long long const own = plane * frame + pixel;
    T const valid = validity[own];
    Taps const taps = tapsOf(flow, shape, frame, pixel);
    bool usable = toFloat(valid) > 0.5f;
    if (nonzero != nullptr) {
        float sum = 0.0f;
        int channel = begin;
        for (; channel + kBatch <= end; channel += kBatch) {
            sum += sumOfPlanes<kBatch>(x + first + plane * channel, plane, taps);
        }
        for (; channel < end; ++channel) {
            sum += sumOfPlanes<1>(x + first + plane * channel, plane, taps);
        }
        usable = noteNonzero(nonzero + own, sum, usable, shape);
    }
    int channel = begin;
    for (; channel + kBatch <= end; channel += kBatch) {
        long long const at = first + plane * channel;
        warpPlanes<kBatch>(x + at, fallback + at + pixel, y + at + pixel, plane, taps, usable);
    }
    for (; channel < end; ++channel) {
        long long const at = first + plane * channel;
        warpPlanes<1>(x + at, fallback + at + pixel, y + at + pixel, plane, taps, usable);
    }
}

// Sample `count` groups of eight channels, `step` groups from each other, in the hwc8 layout.
template <int count>
PTFAN_HD void sampleGroups(float (*sums)[8], Half8 const* source, Taps const& taps, int groups, int step) {
    Half8 values[count][4];
    PTFAN_UNROLL
    for (int index = 0; index < count; ++index) {
        PTFAN_UNROLL
        for (int tap = 0; tap < 4; ++tap) {
            values[index][tap] = source[static_cast<long long>(taps.offset[tap]) * groups + index * step];
        }
    }
    PTFAN_UNROLL
    for (int index = 0; index < count; ++index) {
        PTFAN_UNROLL
        for (int channel = 0; channel < 8; ++channel) {
            float sum = 0.0f;
            PTFAN_UNROLL
            for (int tap = 0; tap < 4; ++tap) {
                sum += taps.weight[tap] * toFloat(values[index][tap].values[channel]);
            }
            sums[index][channel] = taps.inside ? sum : 0.0f;
        }
    }
}

template <int count>
PTFAN_HD void warpGroups(
    Half8 const* source, Half8 const* fallback, Half8* y, Taps const& taps, int groups, int step, bool usable) {
    Half8 values[count];
    if (usable) {
        float sums[count][8];
        sampleGroups<count>(sums, source, taps, groups, step);
        PTFAN_UNROLL
        for (int index = 0; index < count; ++index) {
            PTFAN_UNROLL
            for (int channel = 0; channel < 8; ++channel) {
                values[index].values[channel] = fromFloat<Half>(sums[index][channel]);
            }
        }
    } else {
        PTFAN_UNROLL
        for (int index = 0; index < count; ++index) {
            values[index] = fallback[index * step];
        }
    }
    PTFAN_UNROLL
    for (int index = 0; index < count; ++index) {
        y[index * step] = values[index];
    }
}

PTFAN_HD float sumOfChannels(Half8 const* source, Taps const& taps, int groups, int channels) {
    float sum = 0.0f;
    for (int group = 0; group < groups; ++group) {
        float sums[1][8];
        sampleGroups<1>(sums, source + group, taps, groups, 0);
        for (int channel = 0; channel < 8; ++channel) {  // what fills up the last group does not count
            sum += 8 * group + channel < channels ? sums[0][channel] : 0.0f;
        }
    }
    return sum;
}

// Channel-last layout: groups begin, begin + step, begin + 2 step ... of eight channels of one pixel, two at a time. With
// `nonzero` these are all of them. What fills up the last group is warped with the rest and never read.
PTFAN_HD void warpHwc8(Half const* x, float const* flow, Half const* validity, Half const* fallback, Half* y,
    Half* nonzero, Shape const& shape, int frame, int pixel, int begin, int step) {
    int const groups = (shape.channels + 7) / 8;
    long long const plane = static_cast<long long>(shape.height) * shape.width;
    long long const own = plane * frame + pixel;
    Half8 const* const source = reinterpret_cast<Half8 const*>(x) + plane * frame * groups;
    Half8 const* const other = reinterpret_cast<Half8 const*>(fallback) + own * groups;
    Half8* const target = reinterpret_cast<Half8*>(y) + own * groups;
    Half const valid = validity[own];
    Taps const taps = tapsOf(flow, shape, frame, pixel);
    bool usable = toFloat(valid) > 0.5f;
    if (nonzero != nullptr) {
        usable = noteNonzero(nonzero + own, sumOfChannels(source, taps, groups, shape.channels), usable, shape);
    }
    int group = begin;
    for (; group + step < groups; group += 2 * step) {
        warpGroups<2>(source + group, other + group, target + group, taps, groups, step, usable);
    }
    if (group < groups) {
        warpGroups<1>(source + group, other + group, target + group, taps, groups, step, usable);
    }
}

}  // namespace ptfan
