#include "plugin.h"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>

#include "ptfan/flow_warp.cuh"

using nvinfer1::DataType;
using nvinfer1::DimsExprs;
using nvinfer1::DynamicPluginTensorDesc;
using nvinfer1::PluginCapabilityType;
using nvinfer1::PluginField;
using nvinfer1::PluginFieldCollection;
using nvinfer1::PluginFieldType;
using nvinfer1::PluginTensorDesc;
using nvinfer1::TensorFormat;

namespace ptfan {
namespace {

constexpr std::int32_t kInputs = 4;
constexpr std::int32_t kX = 0;
constexpr std::int32_t kFlow = 1;
constexpr std::int32_t kValidity = 2;
constexpr std::int32_t kFallback = 3;
constexpr std::int32_t kY = 4;  // among inputs and outputs
constexpr std::int32_t kNonzero = 5;

nvinfer1::ILoggerFinder* gLoggerFinder = nullptr;

std::int64_t readInteger(PluginField const& field) {
    if (field.type == PluginFieldType::kINT32 && field.length == 1) {
        return *static_cast<std::int32_t const*>(field.data);
    }
    if (field.type == PluginFieldType::kINT64 && field.length == 1) {
        return *static_cast<std::int64_t const*>(field.data);
    }
    throw std::invalid_argument(std::string("FlowWarp: attribute ") + field.name + " is no single integer");
}

std::int32_t readFlag(PluginField const& field) {
    std::int64_t const value = readInteger(field);
    if (value != 0 && value != 1) {
        throw std::invalid_argument(
            std::string("FlowWarp: ") + field.name + " is " + std::to_string(value) + ", expected 0 or 1");
    }
    return static_cast<std::int32_t>(value);
}

std::string readText(PluginField const& field) {
    if (field.type != PluginFieldType::kCHAR || field.length < 0) {
        throw std::invalid_argument(std::string("FlowWarp: attribute ") + field.name + " is no text");
    }
    std::string text(static_cast<char const*>(field.data), static_cast<std::size_t>(field.length));
    return text.substr(0, text.find('\0'));  // some callers count the end of the text, others do not
}

bool isFeature(std::int32_t position) {
    return position == kX || position == kFallback || position == kY;
}

bool isFloating(DataType type) {
    return type == DataType::kFLOAT || type == DataType::kHALF;
}

}  // namespace

void setFinder(nvinfer1::ILoggerFinder* finder) noexcept {
    gLoggerFinder = finder;
}

void logError(char const* text) noexcept {
    // Each time anew: which logger it is depends on the thread and on who called.
    nvinfer1::ILogger* const logger = gLoggerFinder == nullptr ? nullptr : gLoggerFinder->findLogger();
    if (logger != nullptr) {
        logger->log(nvinfer1::ILogger::Severity::kERROR, text);
    } else {
        std::fprintf(stderr, "%s\n", text);
    }
}

Attributes Attributes::parse(PluginFieldCollection const& fields) {
    Attributes attributes;
    for (std::int32_t index = 0; index < fields.nbFields; ++index) {
        PluginField const& field = fields.fields[index];
        std::string const name = field.name == nullptr ? "" : field.name;
        if (field.data == nullptr) {
            continue;
        }
        if (name == "convention") {
            attributes.convention = readText(field);
        } else if (name == "require_nonzero") {
            attributes.requireNonzero = readFlag(field);
        }
    }
    if (attributes.convention != "pixel" && attributes.convention != "tsam") {
        throw std::invalid_argument("FlowWarp: convention is '" + attributes.convention + "', expected pixel or tsam");
    }
    return attributes;
}

int Attributes::conventionCode() const {
    return convention == "tsam" ? kTsam : kPixel;
}

FlowWarpPlugin::FlowWarpPlugin(Attributes attributes) : mAttributes(std::move(attributes)) {
    mFields = {
        PluginField("convention", mAttributes.convention.c_str(), PluginFieldType::kCHAR,
            static_cast<std::int32_t>(mAttributes.convention.size())),
        PluginField("require_nonzero", &mAttributes.requireNonzero, PluginFieldType::kINT32, 1),
    };
    mCollection.nbFields = static_cast<std::int32_t>(mFields.size());
    mCollection.fields = mFields.data();
}

nvinfer1::IPluginCapability* FlowWarpPlugin::getCapabilityInterface(PluginCapabilityType type) noexcept {
    switch (type) {
    case PluginCapabilityType::kCORE: return static_cast<nvinfer1::IPluginV3OneCore*>(this);
    case PluginCapabilityType::kBUILD: return static_cast<nvinfer1::IPluginV3OneBuild*>(this);
    case PluginCapabilityType::kRUNTIME: return static_cast<nvinfer1::IPluginV3OneRuntime*>(this);
    }
    return nullptr;
}

nvinfer1::IPluginV3* FlowWarpPlugin::clone() noexcept {
    try {
        return std::make_unique<FlowWarpPlugin>(*this).release();
    } catch (std::exception const& error) {
        logError(error.what());
        return nullptr;
    }
}

nvinfer1::AsciiChar const* FlowWarpPlugin::getPluginName() const noexcept {
    return kPluginName;
}

nvinfer1::AsciiChar const* FlowWarpPlugin::getPluginVersion() const noexcept {
    return kPluginVersion;
}

nvinfer1::AsciiChar const* FlowWarpPlugin::getPluginNamespace() const noexcept {
    return kPluginNamespace;
}

std::int32_t FlowWarpPlugin::getNbOutputs() const noexcept {
    return mAttributes.hasNonzero() ? 2 : 1;
}

std::int32_t FlowWarpPlugin::configurePlugin(
    DynamicPluginTensorDesc const*, std::int32_t nbInputs, DynamicPluginTensorDesc const*, std::int32_t nbOutputs) noexcept {
    return nbInputs == kInputs && nbOutputs == getNbOutputs() ? 0 : -1;
}

std::int32_t FlowWarpPlugin::getOutputDataTypes(DataType* outputTypes, std::int32_t nbOutputs, DataType const* inputTypes,
    std::int32_t nbInputs) const noexcept {
    if (nbInputs != kInputs || nbOutputs != getNbOutputs()) {
        return -1;
    }
    for (std::int32_t index = 0; index < nbOutputs; ++index) {
        outputTypes[index] = inputTypes[kX];
    }
    return 0;
}

std::int32_t FlowWarpPlugin::getOutputShapes(DimsExprs const* inputs, std::int32_t nbInputs, DimsExprs const*,
    std::int32_t, DimsExprs* outputs, std::int32_t nbOutputs, nvinfer1::IExprBuilder&) noexcept {
    if (nbInputs != kInputs || nbOutputs != getNbOutputs() || inputs[kX].nbDims != 4) {
        return -1;
    }
    outputs[0] = inputs[kX];
    if (nbOutputs > 1) {
        outputs[1] = inputs[kValidity];
    }
    return 0;
}

bool FlowWarpPlugin::supportsFormatCombination(std::int32_t position, DynamicPluginTensorDesc const* inOut,
    std::int32_t nbInputs, std::int32_t nbOutputs) noexcept {
    if (nbInputs != kInputs || nbOutputs != getNbOutputs() || position >= nbInputs + nbOutputs) {
        return false;
    }
    PluginTensorDesc const& tensor = inOut[position].desc;
    PluginTensorDesc const& x = inOut[kX].desc;
    if (position == kFlow) {
        return tensor.type == DataType::kFLOAT && tensor.format == TensorFormat::kLINEAR;
    }
    if (position == kX) {
        return isFloating(tensor.type)
            && (tensor.format == TensorFormat::kLINEAR
                || (tensor.format == TensorFormat::kHWC8 && tensor.type == DataType::kHALF));
    }
    TensorFormat const wanted = isFeature(position) ? x.format : TensorFormat::kLINEAR;
    return tensor.type == x.type && tensor.format == wanted;
}

std::int32_t FlowWarpPlugin::onShapeChange(
    PluginTensorDesc const* in, std::int32_t nbInputs, PluginTensorDesc const*, std::int32_t) noexcept {
    if (nbInputs != kInputs) {
        return -1;
    }
    for (std::int32_t index = 0; index < kInputs; ++index) {
        bool const sameSize = in[index].dims.nbDims == 4 && in[index].dims.d[0] == in[kX].dims.d[0]
            && in[index].dims.d[2] == in[kX].dims.d[2] && in[index].dims.d[3] == in[kX].dims.d[3];
        auto const channels = index == kFlow ? 2 : index == kValidity ? 1 : in[kX].dims.d[1];
        if (!sameSize || in[index].dims.d[1] != channels) {
            logError("FlowWarp: x, flow, validity and fallback must be (N, C, H, W) with C, 2, 1 and C channels");
            return -1;
        }
    }
    return 0;
}

std::int32_t FlowWarpPlugin::enqueue(PluginTensorDesc const* inputDesc, PluginTensorDesc const*,
    void const* const* inputs, void* const* outputs, void*, cudaStream_t stream) noexcept {
    nvinfer1::Dims const& dims = inputDesc[kX].dims;
    FlowWarp op{};
    op.x = inputs[kX];
    op.flow = static_cast<float const*>(inputs[kFlow]);
    op.validity = inputs[kValidity];
    op.fallback = inputs[kFallback];
    op.y = outputs[kY - kInputs];
    op.nonzero = mAttributes.hasNonzero() ? outputs[kNonzero - kInputs] : nullptr;
    op.frames = static_cast<int>(dims.d[0]);
    op.channels = static_cast<int>(dims.d[1]);
    op.height = static_cast<int>(dims.d[2]);
    op.width = static_cast<int>(dims.d[3]);
    op.type = inputDesc[kX].type == DataType::kHALF ? Type::kFp16 : Type::kFp32;
    op.layout = inputDesc[kX].format == TensorFormat::kHWC8 ? Layout::kHwc8 : Layout::kLinear;
    op.convention = mAttributes.conventionCode();
    op.requireNonzero = mAttributes.requireNonzero != 0;
    cudaError_t const status = enqueueFlowWarp(op, stream);
    if (status != cudaSuccess) {
        logError(cudaGetErrorString(status));
    }
    return static_cast<std::int32_t>(status);
}

nvinfer1::IPluginV3* FlowWarpPlugin::attachToContext(nvinfer1::IPluginResourceContext*) noexcept {
    return clone();
}

PluginFieldCollection const* FlowWarpPlugin::getFieldsToSerialize() noexcept {
    return &mCollection;
}

FlowWarpCreator::FlowWarpCreator() {
    mFields = {
        PluginField("convention", nullptr, PluginFieldType::kCHAR, 0),
        PluginField("require_nonzero", nullptr, PluginFieldType::kINT32, 1),
    };
    mCollection.nbFields = static_cast<std::int32_t>(mFields.size());
    mCollection.fields = mFields.data();
}

nvinfer1::IPluginV3* FlowWarpCreator::createPlugin(
    nvinfer1::AsciiChar const*, PluginFieldCollection const* fields, nvinfer1::TensorRTPhase) noexcept {
    try {
        Attributes attributes = fields == nullptr ? Attributes{} : Attributes::parse(*fields);
        return std::make_unique<FlowWarpPlugin>(std::move(attributes)).release();
    } catch (std::exception const& error) {
        logError(error.what());
        return nullptr;
    }
}

PluginFieldCollection const* FlowWarpCreator::getFieldNames() noexcept {
    return &mCollection;
}

nvinfer1::AsciiChar const* FlowWarpCreator::getPluginName() const noexcept {
    return kPluginName;
}

nvinfer1::AsciiChar const* FlowWarpCreator::getPluginVersion() const noexcept {
    return kPluginVersion;
}

nvinfer1::AsciiChar const* FlowWarpCreator::getPluginNamespace() const noexcept {
    return kPluginNamespace;
}

}  // namespace ptfan
