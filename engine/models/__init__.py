"""The models that come with the package, one ONNX file each."""
