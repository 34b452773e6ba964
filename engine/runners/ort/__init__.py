"""ONNX Runtime, on the CPU or on a CUDA GPU."""
