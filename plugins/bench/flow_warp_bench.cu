// How near the kernel is to its floor: the bytes that must be read and written once, at the bandwidth of a device copy.
//
//   flow_warp_bench [CHANNELS HEIGHT WIDTH FRAMES]        256 60 108 16 without
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "flow_warp.h"

namespace {

constexpr int kRuns = 50;

void check(cudaError_t status) {
    if (status != cudaSuccess) {
        std::fprintf(stderr, "flow_warp_bench: %s\n", cudaGetErrorString(status));
        std::exit(1);
    }
}

template <typename Work>
double medianMilliseconds(Work work) {
    cudaEvent_t begin;
    cudaEvent_t end;
    check(cudaEventCreate(&begin));
    check(cudaEventCreate(&end));
    std::vector<float> times;
    for (int run = 0; run < kRuns + 5; ++run) {
        check(cudaEventRecord(begin));
        work();
        check(cudaEventRecord(end));
        check(cudaEventSynchronize(end));
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, begin, end));
        if (run >= 5) {  // the first ones warm up
            times.push_back(milliseconds);
        }
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

void* allocate(std::size_t bytes) {
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes));
    check(cudaMemset(memory, 0, bytes));
    return memory;
}

}  // namespace

int main(int count, char** arguments) {
    int sizes[] = {256, 60, 108, 16};
    for (int index = 1; index < count && index <= 4; ++index) {
        sizes[index - 1] = std::atoi(arguments[index]);
    }
    int const channels = sizes[0], height = sizes[1], width = sizes[2], frames = sizes[3];
    std::size_t const pixels = static_cast<std::size_t>(frames) * height * width;
    std::size_t const features = pixels * ((channels + 7) / 8 * 8);

    cudaDeviceProp device{};
    check(cudaGetDeviceProperties(&device, 0));
    std::vector<float> flow(2 * pixels);
    for (std::size_t index = 0; index < flow.size(); ++index) {
        flow[index] = 4.0f * std::sin(0.01f * static_cast<float>(index % 1000));
    }
    auto* const deviceFlow = static_cast<float*>(allocate(flow.size() * sizeof(float)));
    check(cudaMemcpy(deviceFlow, flow.data(), flow.size() * sizeof(float), cudaMemcpyHostToDevice));
    std::vector<unsigned int> ones(pixels, 0x3f800000u);
    std::vector<unsigned short> halfOnes(pixels, 0x3c00u);
    void* const validity = allocate(pixels * 4);
    std::size_t const room = 4 * features + 8 * pixels;  // the copy beside it also moves the flow's and validity's bytes
    void* const x = allocate(room);
    void* const fallback = allocate(room);
    void* const y = allocate(room);

    std::printf("%s, %d channels of %dx%d, %d frames\n", device.name, channels, width, height, frames);
    struct Case {
        char const* name;
        ptfan::Type type;
        ptfan::Layout layout;
        std::size_t itemsize;
    };
    for (Case const& item : {Case{"linear fp32", ptfan::Type::kFp32, ptfan::Layout::kLinear, 4},
             Case{"linear fp16", ptfan::Type::kFp16, ptfan::Layout::kLinear, 2},
             Case{"hwc8 fp16", ptfan::Type::kFp16, ptfan::Layout::kHwc8, 2}}) {
        void const* const source = item.itemsize == 4 ? static_cast<void const*>(ones.data()) : halfOnes.data();
        check(cudaMemcpy(validity, source, pixels * item.itemsize, cudaMemcpyHostToDevice));
        ptfan::FlowWarp const op{x, deviceFlow, validity, fallback, y, nullptr, frames, channels, height, width, item.type,
            item.layout, 0, false};
        // Where all is valid, the fallback is not read: features in and out, flow and validity in.
        double const floor = static_cast<double>(pixels) * (2.0 * channels * item.itemsize + 8.0 + item.itemsize);
        double const copied = medianMilliseconds(
            [&] { check(cudaMemcpyAsync(y, x, static_cast<std::size_t>(floor / 2), cudaMemcpyDeviceToDevice)); });
        double const warped = medianMilliseconds([&] { check(ptfan::enqueueFlowWarp(op, nullptr)); });
        std::printf("%-12s %.3f ms, floor %.1f MB, %.0f GB/s, %.0f %% of a device copy of as many bytes (%.3f ms)\n",
            item.name, warped, floor / 1e6, floor / warped / 1e6, 100.0 * copied / warped, copied);
    }
    return 0;
}
