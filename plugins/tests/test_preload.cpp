// Opening the library makes the plugin known to TensorRT: preloaded, or, where its name is given, opened as Triton does.
#include <NvInferRuntime.h>
#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "check.h"

int main(int count, char** arguments) {
    std::string const tensorrt = "libnvinfer.so." + std::to_string(NV_TENSORRT_MAJOR);
    if (count > 1) {
        CHECK(dlopen(tensorrt.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr);
        CHECK(dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) != nullptr);
    }
    void* const library = dlopen(tensorrt.c_str(), RTLD_NOW | RTLD_NOLOAD);
    CHECK(library != nullptr);
    auto const find
        = library == nullptr ? nullptr : reinterpret_cast<decltype(&getPluginRegistry)>(dlsym(library, "getPluginRegistry"));
    CHECK(find != nullptr && find()->getCreator("FlowWarp", "1", "ai.ptfan") != nullptr);
    CHECK(find != nullptr && find()->getCreator("FlowWarp", "1", "") == nullptr);
    return failures() ? EXIT_FAILURE : EXIT_SUCCESS;
}
