// The plugin by itself, with no TensorRT: its attributes, formats, shapes and copies; on a GPU, one run of it.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "check.h"
#include "plugin.h"

namespace {

using nvinfer1::DataType;
using nvinfer1::DynamicPluginTensorDesc;
using nvinfer1::PluginField;
using nvinfer1::PluginFieldCollection;
using nvinfer1::PluginFieldType;
using nvinfer1::PluginTensorDesc;
using nvinfer1::TensorFormat;

constexpr auto kBuild = nvinfer1::PluginCapabilityType::kBUILD;
constexpr auto kRuntime = nvinfer1::PluginCapabilityType::kRUNTIME;

struct Logger : nvinfer1::ILogger {
    std::string last;
    void log(Severity, nvinfer1::AsciiChar const* text) noexcept override {
        last = text;
    }
};

struct Finder : nvinfer1::ILoggerFinder {
    explicit Finder(nvinfer1::ILogger* logger) : found(logger) {}
    nvinfer1::ILogger* findLogger() override {
        return found;
    }
    nvinfer1::ILogger* found;
};

template <typename Integer>
std::unique_ptr<nvinfer1::IPluginV3> create(std::string const& convention, Integer requireNonzero) {
    ptfan::FlowWarpCreator creator;
    auto const kind = sizeof(Integer) == 8 ? PluginFieldType::kINT64 : PluginFieldType::kINT32;
    std::vector<PluginField> fields{
        PluginField("convention", convention.c_str(), PluginFieldType::kCHAR, static_cast<std::int32_t>(convention.size())),
        PluginField("require_nonzero", &requireNonzero, kind, 1),
        PluginField("plugin_namespace", "ai.ptfan", PluginFieldType::kCHAR, 8),
    };
    PluginFieldCollection const collection{static_cast<std::int32_t>(fields.size()), fields.data()};
    return std::unique_ptr<nvinfer1::IPluginV3>(
        creator.createPlugin("node", &collection, nvinfer1::TensorRTPhase::kBUILD));
}

nvinfer1::IPluginV3OneBuild* buildOf(nvinfer1::IPluginV3& plugin) {
    return static_cast<nvinfer1::IPluginV3OneBuild*>(plugin.getCapabilityInterface(kBuild));
}

nvinfer1::IPluginV3OneRuntime* runtimeOf(nvinfer1::IPluginV3& plugin) {
    return static_cast<nvinfer1::IPluginV3OneRuntime*>(plugin.getCapabilityInterface(kRuntime));
}

void testAttributes() {
    Logger logger;
    Finder finder{&logger};
    ptfan::setFinder(&finder);
    CHECK(create("pixel", 0) && buildOf(*create("pixel", 0))->getNbOutputs() == 1);
    CHECK(create("tsam", 0) && buildOf(*create("tsam", 0))->getNbOutputs() == 2);
    CHECK(create("tsam", 1) && buildOf(*create("tsam", 1))->getNbOutputs() == 2);
    CHECK(create(std::string("tsam\0", 5), 1) != nullptr);
    CHECK(create("nearest", 0) == nullptr);
    CHECK(logger.last == "FlowWarp: convention is 'nearest', expected pixel or tsam");
    CHECK(create("pixel", 2) == nullptr);
    CHECK(logger.last == "FlowWarp: require_nonzero is 2, expected 0 or 1");
    CHECK(create("tsam", std::int64_t{1}) && create("pixel", std::int64_t{1} << 32) == nullptr);
    CHECK(logger.last == "FlowWarp: require_nonzero is 4294967296, expected 0 or 1");
    ptfan::setFinder(nullptr);
    CHECK(create("nearest", 0) == nullptr);  // and nobody to tell
}

void testThatCopiesSayTheSame() {
    auto plugin = create("tsam", 1);
    std::unique_ptr<nvinfer1::IPluginV3> copy(plugin->clone());
    plugin.reset();
    PluginFieldCollection const* fields = runtimeOf(*copy)->getFieldsToSerialize();
    ptfan::FlowWarpCreator creator;
    std::unique_ptr<nvinfer1::IPluginV3> again(
        creator.createPlugin("node", fields, nvinfer1::TensorRTPhase::kRUNTIME));
    CHECK(again != nullptr && buildOf(*again)->getNbOutputs() == 2);
    CHECK(std::string(creator.getPluginNamespace()) == "ai.ptfan" && std::string(creator.getPluginName()) == "FlowWarp");
}

DynamicPluginTensorDesc described(DataType type, TensorFormat format) {
    DynamicPluginTensorDesc tensor{};
    tensor.desc.type = type;
    tensor.desc.format = format;
    return tensor;
}

void testFormats() {
    auto plugin = create("tsam", 0);
    for (DataType type : {DataType::kFLOAT, DataType::kHALF, DataType::kINT8}) {
        for (TensorFormat format : {TensorFormat::kLINEAR, TensorFormat::kHWC8, TensorFormat::kCHW2}) {
            bool const offered = (type != DataType::kINT8 && format == TensorFormat::kLINEAR)
                || (type == DataType::kHALF && format == TensorFormat::kHWC8);
            DynamicPluginTensorDesc tensors[] = {described(type, format), described(DataType::kFLOAT, TensorFormat::kLINEAR),
                described(type, TensorFormat::kLINEAR), described(type, format), described(type, format),
                described(type, TensorFormat::kLINEAR)};
            CHECK(buildOf(*plugin)->supportsFormatCombination(0, tensors, 4, 2) == offered);
            for (std::int32_t position = 1; offered && position < 6; ++position) {
                CHECK(buildOf(*plugin)->supportsFormatCombination(position, tensors, 4, 2));
            }
            tensors[1].desc.type = DataType::kHALF;  // flow in fp16 would be off by a tenth of a pixel
            CHECK(!buildOf(*plugin)->supportsFormatCombination(1, tensors, 4, 2));
        }
    }
}

PluginTensorDesc shaped(std::int32_t channels) {
    PluginTensorDesc tensor{};
    tensor.dims = nvinfer1::Dims{4, {2, channels, 5, 7}};
    tensor.type = DataType::kFLOAT;
    tensor.format = TensorFormat::kLINEAR;
    return tensor;
}

void testShapes() {
    auto plugin = create("pixel", 0);
    PluginTensorDesc tensors[] = {shaped(3), shaped(2), shaped(1), shaped(3)};
    PluginTensorDesc const output = shaped(3);
    CHECK(runtimeOf(*plugin)->onShapeChange(tensors, 4, &output, 1) == 0);
    tensors[1] = shaped(3);
    CHECK(runtimeOf(*plugin)->onShapeChange(tensors, 4, &output, 1) != 0);
    DataType types[1];
    DataType const inputs[] = {DataType::kHALF, DataType::kFLOAT, DataType::kHALF, DataType::kHALF};
    CHECK(buildOf(*plugin)->getOutputDataTypes(types, 1, inputs, 4) == 0 && types[0] == DataType::kHALF);
    CHECK(buildOf(*plugin)->getOutputDataTypes(types, 2, inputs, 4) != 0);
}

void testOneRun() {
    auto plugin = create("pixel", 0);
    PluginTensorDesc const tensors[] = {shaped(3), shaped(2), shaped(1), shaped(3)};
    PluginTensorDesc const output = shaped(3);
    std::size_t const pixels = 2 * 5 * 7;
    std::vector<float> x(3 * pixels), flow(2 * pixels, 0.0f), validity(pixels), fallback(3 * pixels, -1.0f), y(3 * pixels);
    for (std::size_t index = 0; index < x.size(); ++index) {
        x[index] = static_cast<float>(index);
    }
    for (std::size_t index = 0; index < pixels; ++index) {
        validity[index] = index % 2 ? 1.0f : 0.0f;
    }
    std::vector<float>* const hosts[] = {&x, &flow, &validity, &fallback, &y};
    void* devices[5];
    for (int index = 0; index < 5; ++index) {
        std::size_t const bytes = hosts[index]->size() * sizeof(float);
        CHECK(cudaMalloc(&devices[index], bytes) == cudaSuccess);
        CHECK(cudaMemcpy(devices[index], hosts[index]->data(), bytes, cudaMemcpyHostToDevice) == cudaSuccess);
    }
    CHECK(runtimeOf(*plugin)->enqueue(tensors, &output, devices, devices + 4, nullptr, nullptr) == 0);
    CHECK(cudaMemcpy(y.data(), devices[4], y.size() * sizeof(float), cudaMemcpyDeviceToHost) == cudaSuccess);
    for (std::size_t index = 0; index < y.size(); ++index) {
        std::size_t const pixel = index / 105 * 35 + index % 35;
        CHECK(y[index] == (pixel % 2 ? x[index] : -1.0f));
    }
    for (void* device : devices) {
        cudaFree(device);
    }
}

}  // namespace

int main() {
    testAttributes();
    testThatCopiesSayTheSame();
    testFormats();
    testShapes();
    int devices = 0;
    bool const gpu = cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0;
    if (gpu) {
        testOneRun();
    }
    std::printf("plugin: %d checks failed%s\n", failures(), gpu ? "" : "; no GPU here, it was not run");
    return failures() ? EXIT_FAILURE : EXIT_SUCCESS;
}
