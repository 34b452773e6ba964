// The op in plain loops and double precision, after its definition, with nothing of the kernels' code.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

struct Case {
    int frames;
    int channels;
    int height;
    int width;
    bool tsam;
    bool requireNonzero;
    float longest;  // of the flow's components, pixels
};

struct Data {
    std::vector<float> x, flow, validity, fallback;
};

struct Answer {
    std::vector<float> y, nonzero;
};

inline Data makeData(Case const& item, unsigned int seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> unit(-1.0f, 1.0f);
    std::size_t const pixels = static_cast<std::size_t>(item.frames) * item.height * item.width;
    Data data;
    for (std::size_t index = 0; index < pixels * item.channels; ++index) {
        data.x.push_back(unit(random));
        data.fallback.push_back(unit(random));
    }
    for (std::size_t index = 0; index < 2 * pixels; ++index) {
        data.flow.push_back(item.longest * unit(random));
    }
    for (std::size_t index = 0; index < pixels; ++index) {
        data.validity.push_back(unit(random) < 0.6f ? 1.0f : 0.0f);
    }
    return data;
}

// `round` rounds features to their type: all that a kernel writes goes through it.
template <typename Round>
Answer referenceWarp(Case const& item, Data const& data, Round round) {
    int const height = item.height, width = item.width;
    std::size_t const plane = static_cast<std::size_t>(height) * width;
    Answer answer{std::vector<float>(data.x.size()), std::vector<float>(item.frames * plane)};
    auto at = [&](int frame, int channel, int row, int column) -> double {
        if (row < 0 || row >= height || column < 0 || column >= width) {
            return 0.0;
        }
        return round(data.x[(static_cast<std::size_t>(frame) * item.channels + channel) * plane + row * width + column]);
    };
    for (int frame = 0; frame < item.frames; ++frame) {
        for (int row = 0; row < height; ++row) {
            for (int column = 0; column < width; ++column) {
                std::size_t const pixel = row * width + column;
                double x = column, y = row;
                if (item.tsam) {
                    x = x * width / (width > 1 ? width - 1 : 1) - 0.5;
                    y = y * height / (height > 1 ? height - 1 : 1) - 0.5;
                }
                x += data.flow[2 * frame * plane + pixel];
                y += data.flow[(2 * frame + 1) * plane + pixel];
                bool const somewhere = std::isfinite(x) && std::isfinite(y) && std::fabs(x) < 1e9 && std::fabs(y) < 1e9;
                double sum = 0.0;
                std::vector<double> warped(item.channels, 0.0);
                if (somewhere) {
                    int const left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
                    double const a = x - left, b = y - top;
                    for (int channel = 0; channel < item.channels; ++channel) {
                        warped[channel] = (1 - a) * (1 - b) * at(frame, channel, top, left)
                            + a * (1 - b) * at(frame, channel, top, left + 1)
                            + (1 - a) * b * at(frame, channel, top + 1, left)
                            + a * b * at(frame, channel, top + 1, left + 1);
                        sum += warped[channel];
                    }
                }
                bool const nonzero = sum != 0.0;
                bool const usable
                    = data.validity[frame * plane + pixel] > 0.5f && (nonzero || !item.requireNonzero);
                answer.nonzero[frame * plane + pixel] = nonzero ? 1.0f : 0.0f;
                for (int channel = 0; channel < item.channels; ++channel) {
                    std::size_t const index = (static_cast<std::size_t>(frame) * item.channels + channel) * plane + pixel;
                    answer.y[index] = usable ? static_cast<float>(warped[channel]) : round(data.fallback[index]);
                }
            }
        }
    }
    return answer;
}

inline std::vector<Case> allCases() {
    std::vector<Case> cases;
    for (bool tsam : {false, true}) {
        for (bool require : {false, true}) {
            cases.push_back({1, 1, 1, 1, tsam, require, 0.5f});
            cases.push_back({2, 3, 5, 7, tsam, require, 3.0f});
            cases.push_back({1, 8, 9, 13, tsam, require, 2.0f});
            cases.push_back({3, 17, 4, 31, tsam, require, 40.0f});  // mostly out of the picture
            cases.push_back({2, 40, 33, 1, tsam, require, 1.5f});
        }
    }
    return cases;
}
