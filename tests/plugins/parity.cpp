// The kernels' code as a shared library for the processor, so that Python can compare it with the network's own warp.
#include "ptfan/flow_warp.cuh"

extern "C" void flow_warp_linear_fp32(float const* x, float const* flow, float const* validity, float const* fallback,
    float* y, float* nonzero, int frames, int channels, int height, int width, int convention, int requireNonzero) {
    ptfan::Shape const shape = {channels, height, width, convention, requireNonzero};
    for (int frame = 0; frame < frames; ++frame) {
        for (int pixel = 0; pixel < height * width; ++pixel) {
            ptfan::warpLinear<float>(x, flow, validity, fallback, y, nonzero, shape, frame, pixel, 0, channels);
        }
    }
}
