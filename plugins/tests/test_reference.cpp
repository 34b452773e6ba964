// The kernels themselves, run on the processor thread by thread, against plain loops.
#include <algorithm>
#include <cstdlib>
#include <limits>

#include "check.h"
#include "reference.h"

// What the kernels take from CUDA.
#define __global__
#define __launch_bounds__(...)

namespace {

struct Place {
    int x, y, z;
};

Place blockIdx, threadIdx, gridDim, blockDim;

}  // namespace

#include "ptfan/flow_warp_kernels.cuh"

namespace {

using ptfan::Half;

float same(float value) {
    return value;
}

float halved(float value) {
    return ptfan::toFloat(ptfan::fromFloat<Half>(value));
}

template <typename T>
std::vector<T> converted(std::vector<float> const& values) {
    std::vector<T> result;
    for (float value : values) {
        result.push_back(ptfan::fromFloat<T>(value));
    }
    return result;
}

ptfan::Shape shapeOf(Case const& item) {
    return {item.channels, item.height, item.width, item.tsam ? ptfan::kTsam : ptfan::kPixel, item.requireNonzero ? 1 : 0};
}

void linear(float const* x, float const* flow, float const* validity, float const* fallback, float* y, float* nonzero,
    int frames, ptfan::Shape const& shape) {
    ptfan_flow_warp_linear_fp32(x, flow, validity, fallback, y, nonzero, frames, shape.channels, shape.height, shape.width,
        shape.convention, shape.requireNonzero);
}

void linear(Half const* x, float const* flow, Half const* validity, Half const* fallback, Half* y, Half* nonzero, int frames,
    ptfan::Shape const& shape) {
    ptfan_flow_warp_linear_fp16(x, flow, validity, fallback, y, nonzero, frames, shape.channels, shape.height, shape.width,
        shape.convention, shape.requireNonzero);
}

// Run a kernel with `places` threads and more, `chunks` times for each of two blocks of frames.
template <typename Kernel>
void launch(int places, int chunks, Kernel kernel) {
    blockDim = {PTFAN_THREADS, 1, 1};
    gridDim = {(places + blockDim.x - 1) / blockDim.x, chunks, 2};
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z) {
        for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y) {
            for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x) {
                for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x) {
                    kernel();
                }
            }
        }
    }
}

int chunksOf(Case const& item, bool withNonzero) {
    return withNonzero ? 1 : (item.channels + PTFAN_CHANNELS_PER_THREAD - 1) / PTFAN_CHANNELS_PER_THREAD;
}

template <typename T>
Answer runLinear(Case const& item, Data const& data, bool withNonzero) {
    auto const x = converted<T>(data.x), validity = converted<T>(data.validity), fallback = converted<T>(data.fallback);
    std::vector<T> y(x.size()), nonzero(validity.size());
    launch(item.height * item.width, chunksOf(item, withNonzero), [&] {
        linear(x.data(), data.flow.data(), validity.data(), fallback.data(), y.data(),
            withNonzero ? nonzero.data() : nullptr, item.frames, shapeOf(item));
    });
    Answer answer;
    for (T value : y) {
        answer.y.push_back(ptfan::toFloat(value));
    }
    for (T value : nonzero) {
        answer.nonzero.push_back(ptfan::toFloat(value));
    }
    return answer;
}

std::size_t hwc8Index(Case const& item, int frame, int channel, int pixel) {
    int const padded = (item.channels + 7) / 8 * 8;
    return (static_cast<std::size_t>(frame) * item.height * item.width + pixel) * padded + channel;
}

Answer runHwc8(Case const& item, Data const& data, bool withNonzero) {
    int const groups = (item.channels + 7) / 8, pixels = item.height * item.width;
    auto const validity = converted<Half>(data.validity);
    std::vector<ptfan::Half8> x(static_cast<std::size_t>(item.frames) * pixels * groups), fallback(x.size()), y(x.size());
    auto* const xs = reinterpret_cast<Half*>(x.data());
    auto* const fallbacks = reinterpret_cast<Half*>(fallback.data());
    for (std::size_t index = 0; index < 8 * x.size(); ++index) {
        xs[index] = ptfan::fromFloat<Half>(1000.0f);  // what fills up the last group must not count
    }
    auto each = [&](auto work) {
        std::size_t index = 0;
        for (int frame = 0; frame < item.frames; ++frame) {
            for (int channel = 0; channel < item.channels; ++channel) {
                for (int pixel = 0; pixel < pixels; ++pixel, ++index) {
                    work(index, hwc8Index(item, frame, channel, pixel));
                }
            }
        }
    };
    each([&](std::size_t linear, std::size_t last) {
        xs[last] = ptfan::fromFloat<Half>(data.x[linear]);
        fallbacks[last] = ptfan::fromFloat<Half>(data.fallback[linear]);
    });
    std::vector<Half> nonzero(validity.size());
    launch(pixels * chunksOf(item, withNonzero), 1, [&] {
        ptfan_flow_warp_hwc8_fp16(xs, data.flow.data(), validity.data(), fallbacks, reinterpret_cast<Half*>(y.data()),
            withNonzero ? nonzero.data() : nullptr, item.frames, item.channels, item.height, item.width,
            item.tsam ? ptfan::kTsam : ptfan::kPixel, item.requireNonzero ? 1 : 0);
    });
    Answer answer{std::vector<float>(data.x.size()), {}};
    each([&](std::size_t linear, std::size_t last) {
        answer.y[linear] = ptfan::toFloat(reinterpret_cast<Half*>(y.data())[last]);
    });
    for (Half value : nonzero) {
        answer.nonzero.push_back(ptfan::toFloat(value));
    }
    return answer;
}

void compare(Answer const& got, Answer const& expected, float tolerance, bool withNonzero) {
    float worst = 0.0f;
    for (std::size_t index = 0; index < expected.y.size(); ++index) {
        worst = std::fmax(worst, std::fabs(got.y[index] - expected.y[index]));
    }
    CHECK(worst <= tolerance);
    if (withNonzero) {
        CHECK(got.nonzero == expected.nonzero);
    }
}

void testCases() {
    unsigned int seed = 0;
    for (Case const& item : allCases()) {
        Data const data = makeData(item, ++seed);
        for (bool withNonzero : {false, true}) {
            if (item.requireNonzero && !withNonzero) {
                continue;
            }
            compare(runLinear<float>(item, data, withNonzero), referenceWarp(item, data, same), 2e-5f, withNonzero);
            Answer const halves = referenceWarp(item, data, halved);
            compare(runLinear<Half>(item, data, withNonzero), halves, 1e-3f, withNonzero);
            compare(runHwc8(item, data, withNonzero), halves, 1e-3f, withNonzero);
        }
    }
}

void testFlowsThatLeadNowhere() {
    Case const item{1, 2, 3, 4, false, false, 0.0f};
    Data data = makeData(item, 1);
    float const bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity(), 3e38f, -3e38f, 1e10f};
    for (std::size_t index = 0; index < data.flow.size(); ++index) {
        data.flow[index] = bad[index % 6];
    }
    for (float& value : data.validity) {
        value = 1.0f;
    }
    for (float value : runLinear<float>(item, data, false).y) {
        CHECK(value == 0.0f);
    }
}

// A feature that is no number shows where it is sampled with a weight, and nowhere else.
void testFeaturesThatAreNoNumbers() {
    for (float shift : {0.0f, 0.25f, -0.25f, 1.0f, 100.0f}) {
        Case const item{1, 9, 4, 5, false, false, 0.0f};
        Data data = makeData(item, 1);
        std::fill(data.validity.begin(), data.validity.end(), 1.0f);
        std::fill(data.flow.begin(), data.flow.begin() + 20, shift);  // across; down is 0
        std::fill(data.x.begin(), data.x.end(), 1.0f);
        for (int channel = 0; channel < item.channels; ++channel) {
            for (int corner : {0, 4, 15, 19}) {
                data.x[20 * channel + corner] = std::numeric_limits<float>::quiet_NaN();
            }
        }
        auto const linear = runLinear<float>(item, data, false), halves = runLinear<Half>(item, data, false);
        auto const last = runHwc8(item, data, false);
        for (int place = 0; place < 20 * item.channels; ++place) {
            float const across = static_cast<float>(place % 5) + shift;
            bool const outer = place / 5 % 4 == 0 || place / 5 % 4 == 3;
            bool const nan = outer && (std::fabs(across) < 1.0f || std::fabs(across - 4.0f) < 1.0f);
            CHECK(std::isnan(linear.y[place]) == nan);
            CHECK(std::isnan(halves.y[place]) == nan);
            CHECK(std::isnan(last.y[place]) == nan);
        }
    }
}

void testHalves() {
    for (unsigned int bits = 0; bits < 0x10000u; ++bits) {
        Half const value{static_cast<unsigned short>(bits)};
        bool const number = (bits & 0x7c00u) != 0x7c00u || (bits & 0x3ffu) == 0;
        CHECK(!number || ptfan::fromFloat<Half>(ptfan::toFloat(value)).bits == bits);
    }
    CHECK(halved(1.0f + 0.00048828125f) == 1.0f);          // a tie goes to the even neighbour
    CHECK(halved(1.0f + 3 * 0.00048828125f) == 1.001953125f);
    CHECK(halved(65504.0f) == 65504.0f);
    CHECK(std::isinf(halved(65520.0f)));
    CHECK(halved(5.9604644775390625e-8f) == 5.9604644775390625e-8f);
    CHECK(halved(2e-8f) == 0.0f);
}

}  // namespace

int main() {
    testCases();
    testFlowsThatLeadNowhere();
    testFeaturesThatAreNoNumbers();
    testHalves();
    std::printf("reference: %d checks failed\n", failures());
    return failures() ? EXIT_FAILURE : EXIT_SUCCESS;
}
