// A libnvinfer that has nothing but a registry of plugins: enough to see what a library does when it is opened.
#include <NvInferRuntime.h>

#include <cstring>

namespace {

using nvinfer1::AsciiChar;
using nvinfer1::IPluginCreatorInterface;

class Registry final : public nvinfer1::IPluginRegistry {
public:
    bool registerCreator(IPluginCreatorInterface& creator, AsciiChar const* space) noexcept override {
        bool const first = mCreator == nullptr;
        mCreator = first ? &creator : mCreator;
        mSpace = first ? space : mSpace;
        return first;
    }
    IPluginCreatorInterface* getCreator(
        AsciiChar const* name, AsciiChar const* version, AsciiChar const* space) noexcept override {
        auto* const known = static_cast<nvinfer1::IPluginCreatorV3One*>(mCreator);
        bool const asked = known != nullptr && !std::strcmp(known->getPluginName(), name)
            && !std::strcmp(known->getPluginVersion(), version) && !std::strcmp(mSpace, space);
        return asked ? mCreator : nullptr;
    }

    // What nobody calls.
    void setErrorRecorder(nvinfer1::IErrorRecorder*) noexcept override {}
    nvinfer1::IErrorRecorder* getErrorRecorder() const noexcept override {
        return nullptr;
    }
    bool isParentSearchEnabled() const override {
        return false;
    }
    void setParentSearchEnabled(bool) override {}
    PluginLibraryHandle loadLibrary(AsciiChar const*) noexcept override {
        return nullptr;
    }
    void deregisterLibrary(PluginLibraryHandle) noexcept override {}
    IPluginCreatorInterface* const* getAllCreators(std::int32_t*) const noexcept override {
        return nullptr;
    }
    IPluginCreatorInterface* const* getAllCreatorsRecursive(std::int32_t*) noexcept {  // TensorRT 10.3 has none
        return nullptr;
    }
    bool deregisterCreator(IPluginCreatorInterface const&) noexcept override {
        return false;
    }
    nvinfer1::IPluginResource* acquirePluginResource(AsciiChar const*, nvinfer1::IPluginResource*) noexcept override {
        return nullptr;
    }
    std::int32_t releasePluginResource(AsciiChar const*) noexcept override {
        return -1;
    }
#if NV_TENSORRT_MAJOR < 11
    bool registerCreator(nvinfer1::IPluginCreator&, AsciiChar const*) noexcept override {
        return false;
    }
    nvinfer1::IPluginCreator* const* getPluginCreatorList(std::int32_t*) const noexcept override {
        return nullptr;
    }
    nvinfer1::IPluginCreator* getPluginCreator(AsciiChar const*, AsciiChar const*, AsciiChar const*) noexcept override {
        return nullptr;
    }
    bool deregisterCreator(nvinfer1::IPluginCreator const&) noexcept override {
        return false;
    }
#endif

private:
    IPluginCreatorInterface* mCreator = nullptr;
    AsciiChar const* mSpace = nullptr;
};

}  // namespace

extern "C" __attribute__((visibility("default"))) nvinfer1::IPluginRegistry* getPluginRegistry() noexcept {
    static Registry registry;
    return &registry;
}
