// FlowWarp as a TensorRT plugin (IPluginV3, TensorRT 10.3 to 11).
#pragma once

#include <NvInferRuntime.h>

#include <string>
#include <vector>

#include "flow_warp.h"

namespace ptfan {

constexpr char const* kPluginName = "FlowWarp";
constexpr char const* kPluginVersion = "1";
constexpr char const* kPluginNamespace = "ai.ptfan";

// What a node's attributes say.
struct Attributes {
    std::string convention = "pixel";
    std::int32_t requireNonzero = 0;

    // Throws std::invalid_argument with a text that says what was got and what is expected.
    static Attributes parse(nvinfer1::PluginFieldCollection const& fields);

    int conventionCode() const;
    // The published convention reads the second output; the plain one never does, and its nodes have none.
    bool hasNonzero() const {
        return convention == "tsam" || requireNonzero != 0;
    }
};

// Inputs: x (N, C, H, W), flow (N, 2, H, W) fp32, validity (N, 1, H, W), fallback (N, C, H, W). Outputs: y like x, and
// nonzero like validity where there is one. x, fallback and y are fp32 or fp16, linear, or fp16 with eight channels together
// (kHWC8); flow, validity and nonzero are linear.
class FlowWarpPlugin final : public nvinfer1::IPluginV3,
                             public nvinfer1::IPluginV3OneCore,
                             public nvinfer1::IPluginV3OneBuild,
                             public nvinfer1::IPluginV3OneRuntime {
public:
    explicit FlowWarpPlugin(Attributes attributes);
    FlowWarpPlugin(FlowWarpPlugin const& other) : FlowWarpPlugin(other.mAttributes) {}
    FlowWarpPlugin& operator=(FlowWarpPlugin const&) = delete;
    ~FlowWarpPlugin() override = default;

    // IPluginV3
    nvinfer1::IPluginCapability* getCapabilityInterface(nvinfer1::PluginCapabilityType type) noexcept override;
    nvinfer1::IPluginV3* clone() noexcept override;

    // Core
    nvinfer1::AsciiChar const* getPluginName() const noexcept override;
    nvinfer1::AsciiChar const* getPluginVersion() const noexcept override;
    nvinfer1::AsciiChar const* getPluginNamespace() const noexcept override;

    // Build
    std::int32_t getNbOutputs() const noexcept override;
    std::int32_t configurePlugin(nvinfer1::DynamicPluginTensorDesc const* in, std::int32_t nbInputs,
        nvinfer1::DynamicPluginTensorDesc const* out, std::int32_t nbOutputs) noexcept override;
    std::int32_t getOutputDataTypes(nvinfer1::DataType* outputTypes, std::int32_t nbOutputs,
        nvinfer1::DataType const* inputTypes, std::int32_t nbInputs) const noexcept override;
    std::int32_t getOutputShapes(nvinfer1::DimsExprs const* inputs, std::int32_t nbInputs,
        nvinfer1::DimsExprs const* shapeInputs, std::int32_t nbShapeInputs, nvinfer1::DimsExprs* outputs,
        std::int32_t nbOutputs, nvinfer1::IExprBuilder& builder) noexcept override;
    bool supportsFormatCombination(std::int32_t position, nvinfer1::DynamicPluginTensorDesc const* inOut,
        std::int32_t nbInputs, std::int32_t nbOutputs) noexcept override;

    // Runtime
    std::int32_t onShapeChange(nvinfer1::PluginTensorDesc const* in, std::int32_t nbInputs,
        nvinfer1::PluginTensorDesc const* out, std::int32_t nbOutputs) noexcept override;
    std::int32_t enqueue(nvinfer1::PluginTensorDesc const* inputDesc, nvinfer1::PluginTensorDesc const* outputDesc,
        void const* const* inputs, void* const* outputs, void* workspace, cudaStream_t stream) noexcept override;
    nvinfer1::IPluginV3* attachToContext(nvinfer1::IPluginResourceContext* context) noexcept override;
    nvinfer1::PluginFieldCollection const* getFieldsToSerialize() noexcept override;

private:
    Attributes mAttributes;
    std::vector<nvinfer1::PluginField> mFields;  // They point into mAttributes.
    nvinfer1::PluginFieldCollection mCollection{};
};

class FlowWarpCreator final : public nvinfer1::IPluginCreatorV3One {
public:
    FlowWarpCreator();

    nvinfer1::IPluginV3* createPlugin(nvinfer1::AsciiChar const* name, nvinfer1::PluginFieldCollection const* fields,
        nvinfer1::TensorRTPhase phase) noexcept override;
    nvinfer1::PluginFieldCollection const* getFieldNames() noexcept override;
    nvinfer1::AsciiChar const* getPluginName() const noexcept override;
    nvinfer1::AsciiChar const* getPluginVersion() const noexcept override;
    nvinfer1::AsciiChar const* getPluginNamespace() const noexcept override;

private:
    std::vector<nvinfer1::PluginField> mFields;
    nvinfer1::PluginFieldCollection mCollection{};
};

// Where messages go: the logger that is found when there is one to tell, else standard error. TensorRT hands a finder to
// libraries that lie in a plan alone.
void setFinder(nvinfer1::ILoggerFinder* finder) noexcept;
void logError(char const* text) noexcept;

}  // namespace ptfan
