// For programs that open libraries and leave the rest to them, as LD_PRELOAD and Triton's `plugins=` do: this one makes the
// plugin known to TensorRT as soon as it is opened.
#include <dlfcn.h>

#include "plugin.h"

#define PTFAN_TEXT_OF(NUMBER) #NUMBER
#define PTFAN_TEXT(NUMBER) PTFAN_TEXT_OF(NUMBER)

namespace {

// TensorRT may not be there yet, or its symbols may be hidden from others, so it is opened by name: whoever comes later gets
// the same one, with the same registry.
nvinfer1::IPluginRegistry* findRegistry() noexcept {
    void* library = dlopen("libnvinfer.so." PTFAN_TEXT(NV_TENSORRT_MAJOR), RTLD_NOW);
    if (library == nullptr) {
        ptfan::logError(dlerror());
        return nullptr;
    }
    auto const find = reinterpret_cast<decltype(&getPluginRegistry)>(dlsym(library, "getPluginRegistry"));
    return find == nullptr ? nullptr : find();
}

// A program that uses no TensorRT goes on without: it may be a child that has inherited LD_PRELOAD.
struct Registrar {
    Registrar() noexcept {
        nvinfer1::IPluginRegistry* const registry = findRegistry();
        if (registry == nullptr) {
            ptfan::logError("FlowWarp: there is no registry of TensorRT's to put it into");
        } else if (!registry->registerCreator(*creator, ptfan::kPluginNamespace)) {
            ptfan::logError("FlowWarp: TensorRT does not register it, it may have done so before");
        }
    }
    ptfan::FlowWarpCreator* creator = new ptfan::FlowWarpCreator;  // TensorRT may use it until the process ends.
};

Registrar const registrar;

}  // namespace
