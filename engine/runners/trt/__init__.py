"""TensorRT: plans that are built and run here, and the plugin that gives them the flow-guided warp."""
