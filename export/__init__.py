"""Checkpoint to ONNX: the clip graph, its precisions, and parity checks."""
