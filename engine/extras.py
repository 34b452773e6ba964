"""Which `pip install` line brings a library that is not there."""

from __future__ import annotations

from ptfan.engine.errors import MissingExtraError

__all__ = ["missing_extra"]

EXTRAS = {
    "cuda": "tensorrt",
    "lightning_fabric": "train",
    "matplotlib": "plots",
    "onnx": "export",
    "onnxruntime": "cpu",
    "onnxscript": "export",
    "openvino": "openvino",
    "safetensors": "train",
    "tensorboard": "train",
    "torch": "train",
}
"""Libraries that only an extra brings, and that extra."""


def missing_extra(error: ImportError, command: str = "") -> MissingExtraError | None:
    """Turn the failed import of an optional library into an error that says how to get it.

    Args:
        error: What the import raised.
        command: The sub-command that needs the library; it chooses the extra where several bring it.

    Returns:
        The error to raise instead; None when the library belongs to no extra, so that something else is wrong.
    """
    library = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(library)
    if extra is None:
        return None
    extra = "export" if command == "export" else extra
    needs = f"ptfan {command} needs" if command else "this needs"
    return MissingExtraError(f"{needs} {library}, which is not installed: pip install 'ptfan[{extra}]'")
