"""Parse and build one ONNX file with tensorrt-rtx, which needs no GPU for that; print what came out as JSON.

A program of its own: its parser loads libtensorrt_rtx.so by that very name and ends the process when there is none, so
that the folder with the name must be on LD_LIBRARY_PATH before Python starts.

Usage: tensorrt_rtx_build.py MODEL.onnx '{"frames": [[1, 3, 64, 64], [15, 3, 240, 432], [15, 3, 480, 864]], ...}' PLUGIN

PLUGIN is a library to load, or `python` for the plugin in Python; empty, the parser takes the op's function.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any


def main(path: str, profiles: dict[str, list[list[int]]], plugin: str = "") -> dict[str, Any]:
    import tensorrt_rtx as trt

    logger = trt.Logger(trt.Logger.ERROR)
    if plugin == "python":
        from ptfan.engine.runners.trt.flow_warp_plugin import register

        register(trt)
    elif plugin:
        trt.get_plugin_registry().load_library(plugin)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    begin = time.perf_counter()
    if not parser.parse_from_file(path):
        return {"errors": [str(parser.get_error(index)) for index in range(parser.num_errors)]}
    parsed, used = time.perf_counter(), time.process_time()
    config = builder.create_builder_config()
    if profiles:
        profile = builder.create_optimization_profile()
        for name, (least, usual, most) in profiles.items():
            profile.set_shape(name, least, usual, most)
        config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        return {"errors": ["the builder returned nothing"]}
    return {
        "errors": [],
        "inputs": {tensor.name: str(tensor.dtype) for tensor in map(network.get_input, range(network.num_inputs))},
        "outputs": {tensor.name: str(tensor.dtype) for tensor in map(network.get_output, range(network.num_outputs))},
        "layers": Counter(network.get_layer(index).type.name for index in range(network.num_layers)),
        "bytes": plan.nbytes,
        "parse_seconds": parsed - begin,
        "build_seconds": time.perf_counter() - parsed,
        "build_cpu_seconds": time.process_time() - used,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]), *sys.argv[3:])))
