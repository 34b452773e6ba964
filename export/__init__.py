"""Checkpoint to ONNX: graphs of every form, their number formats, and the proof that they compute what torch does."""
