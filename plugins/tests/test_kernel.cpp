// The kernels on a GPU against plain loops. Without a GPU it checks what is refused, and is skipped.
#include <cuda_runtime.h>

#include <algorithm>
#include <cfloat>
#include <cstdlib>

#include "check.h"
#include "flow_warp.h"
#include "ptfan/flow_warp.cuh"
#include "reference.h"

namespace {

using ptfan::Half;
using ptfan::Layout;
using ptfan::Type;

// Device memory for as long as it lives, with guards before and behind it that nobody may write to.
class Buffer {
public:
    explicit Buffer(std::size_t bytes) : mBytes(bytes) {
        CHECK(cudaMalloc(&mMemory, bytes + 2 * kGuard) == cudaSuccess);
        CHECK(cudaMemset(mMemory, 0xa5, bytes + 2 * kGuard) == cudaSuccess);
    }
    Buffer(Buffer const&) = delete;
    Buffer& operator=(Buffer const&) = delete;
    ~Buffer() {
        std::vector<unsigned char> all(mBytes + 2 * kGuard);
        CHECK(cudaMemcpy(all.data(), mMemory, all.size(), cudaMemcpyDeviceToHost) == cudaSuccess);
        for (std::size_t index = 0; index < kGuard; ++index) {
            CHECK(all[index] == 0xa5 && all[kGuard + mBytes + index] == 0xa5);
        }
        cudaFree(mMemory);
    }
    void* data() const {
        return static_cast<char*>(mMemory) + kGuard;
    }
    void fill(void const* source) {
        CHECK(cudaMemcpy(data(), source, mBytes, cudaMemcpyHostToDevice) == cudaSuccess);
    }
    void read(void* target) const {
        CHECK(cudaMemcpy(target, data(), mBytes, cudaMemcpyDeviceToHost) == cudaSuccess);
    }

private:
    static constexpr std::size_t kGuard = 256;
    void* mMemory = nullptr;
    std::size_t mBytes;
};

float asStored(float value, Type type) {
    return type == Type::kFp32 ? value : ptfan::toFloat(ptfan::fromFloat<Half>(value));
}

std::size_t placeOf(Case const& item, Layout layout, std::size_t linear) {
    std::size_t const pixels = static_cast<std::size_t>(item.height) * item.width;
    std::size_t const pixel = linear % pixels, channel = linear / pixels % item.channels;
    std::size_t const frame = linear / pixels / item.channels;
    std::size_t const padded = (item.channels + 7) / 8 * 8;
    return layout == Layout::kLinear ? linear : (frame * pixels + pixel) * padded + channel;
}

// Turn values into bytes of a type and layout, and back.
std::vector<unsigned char> packed(Case const& item, std::vector<float> const& values, Type type, Layout layout) {
    std::size_t const slots = layout == Layout::kLinear
        ? values.size()
        : static_cast<std::size_t>(item.frames) * item.height * item.width * ((item.channels + 7) / 8 * 8);
    std::size_t const itemsize = type == Type::kFp32 ? 4 : 2;
    std::vector<unsigned char> bytes(slots * itemsize);
    for (std::size_t index = 0; index < values.size(); ++index) {
        Half const half = ptfan::fromFloat<Half>(values[index]);
        void const* const source = type == Type::kFp32 ? static_cast<void const*>(&values[index]) : &half;
        memcpy(&bytes[placeOf(item, layout, index) * itemsize], source, itemsize);
    }
    return bytes;
}

float unpacked(std::vector<unsigned char> const& bytes, std::size_t place, Type type) {
    if (type == Type::kFp32) {
        float value;
        memcpy(&value, &bytes[4 * place], 4);
        return value;
    }
    Half value;
    memcpy(&value, &bytes[2 * place], 2);
    return ptfan::toFloat(value);
}

void testCase(Case const& item, Type type, Layout layout, bool withNonzero, unsigned int seed) {
    Data const data = makeData(item, seed);
    Answer const expected = referenceWarp(item, data, [type](float value) { return asStored(value, type); });
    auto xs = packed(item, data.x, type, layout), fallbacks = packed(item, data.fallback, type, layout);
    auto validities = packed(item, data.validity, type, Layout::kLinear);
    Buffer x(xs.size()), fallback(fallbacks.size()), validity(validities.size()), flow(4 * data.flow.size());
    Buffer y(xs.size()), nonzero(validities.size());
    x.fill(xs.data());
    fallback.fill(fallbacks.data());
    validity.fill(validities.data());
    flow.fill(data.flow.data());
    ptfan::FlowWarp const op{x.data(), static_cast<float const*>(flow.data()), validity.data(), fallback.data(), y.data(),
        withNonzero ? nonzero.data() : nullptr, item.frames, item.channels, item.height, item.width, type, layout,
        item.tsam ? ptfan::kTsam : ptfan::kPixel, item.requireNonzero};
    CHECK(ptfan::enqueueFlowWarp(op, nullptr) == cudaSuccess);
    CHECK(cudaDeviceSynchronize() == cudaSuccess);
    y.read(xs.data());
    nonzero.read(validities.data());
    float worst = 0.0f;
    for (std::size_t index = 0; index < expected.y.size(); ++index) {
        worst = std::fmax(worst, std::fabs(unpacked(xs, placeOf(item, layout, index), type) - expected.y[index]));
    }
    // A sampling place is a sum in fp32: its last digit moves the answer by as much, times the difference of two features.
    float const furthest = static_cast<float>(std::max(item.height, item.width)) + item.longest;
    float const tolerance = type == Type::kFp32 ? 1e-5f + 8.0f * FLT_EPSILON * furthest : 1e-3f;
    if (!(worst <= tolerance)) {
        std::printf("kernel: %d channels of %dx%d, %s, layout %d: off by %g, expected %g at most\n", item.channels, item.width,
            item.height, type == Type::kFp32 ? "fp32" : "fp16", static_cast<int>(layout), worst, tolerance);
    }
    CHECK(worst <= tolerance);
    for (std::size_t index = 0; withNonzero && index < expected.nonzero.size(); ++index) {
        CHECK(unpacked(validities, index, type) == expected.nonzero[index]);
    }
}

void testCases() {
    auto cases = allCases();
    cases.push_back({16, 256, 60, 108, false, false, 6.0f});
    cases.push_back({2, 19, 135, 241, true, true, 300.0f});
    unsigned int seed = 0;
    for (Case const& item : cases) {
        for (bool withNonzero : {false, true}) {
            if (item.requireNonzero && !withNonzero) {
                continue;
            }
            testCase(item, Type::kFp32, Layout::kLinear, withNonzero, ++seed);
            testCase(item, Type::kFp16, Layout::kLinear, withNonzero, ++seed);
            testCase(item, Type::kFp16, Layout::kHwc8, withNonzero, ++seed);
        }
    }
}

void testWhatIsRefused() {
    float value = 0.0f;
    ptfan::FlowWarp const good{&value, &value, &value, &value, &value, nullptr, 1, 1, 1, 1, Type::kFp32, Layout::kLinear,
        ptfan::kPixel, false};
    auto refused = [](ptfan::FlowWarp const& op) { return ptfan::enqueueFlowWarp(op, nullptr) == cudaErrorInvalidValue; };
    for (int ptfan::FlowWarp::*size : {&ptfan::FlowWarp::frames, &ptfan::FlowWarp::channels, &ptfan::FlowWarp::height,
             &ptfan::FlowWarp::width}) {
        ptfan::FlowWarp op = good;
        op.*size = 0;
        CHECK(refused(op));
    }
    ptfan::FlowWarp op = good;
    op.layout = Layout::kHwc8;
    CHECK(refused(op));
    op = good;
    op.requireNonzero = true;
    CHECK(refused(op));
    op = good;
    op.convention = 2;
    CHECK(refused(op));
    op = good;
    op.height = op.width = 50000;
    CHECK(refused(op));
}

}  // namespace

int main() {
    testWhatIsRefused();
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
        std::printf("kernel: no GPU here; %d checks of the arguments failed\n", failures());
        return failures() ? EXIT_FAILURE : kSkipped;
    }
    testCases();
    std::printf("kernel: %d checks failed\n", failures());
    return failures() ? EXIT_FAILURE : EXIT_SUCCESS;
}
