"""The models that come with the package, one ONNX file each, and how a model is named."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from ptfan.engine.errors import InputNotFoundError
from ptfan.engine.machine import multiplies_bytes

__all__ = [
    "COLOUR_MODEL",
    "DEFAULT_MODEL",
    "FLOW_MODEL",
    "INT8",
    "TEXT_MODEL",
    "colour_model",
    "file_sha256",
    "find_model",
    "flow_model",
    "shipped_models",
]

DEFAULT_MODEL = "s"
"""The model that is used when none is named."""
FLOW_MODEL = Path(__file__).parent / "flow.onnx"
"""The network that completes flow inside holes: it serves every model that inpaints, and does not by itself."""
COLOUR_MODEL = Path(__file__).parent / "colour.onnx"
"""Likewise, the network that completes the colours of what no frame shows."""
TEXT_MODEL = Path(__file__).parent / "text.onnx"
"""The network that finds text in frames."""
INT8 = "-int8"
"""How the names of files end whose convolutions are int8."""
SMALLER = (INT8, "-fp16")
"""How the names of files end that are another file in fewer bits."""


def shipped_models() -> dict[str, Path]:
    """Return the files of the inpainting models that come with the package, by name, other precisions last."""
    paths = sorted(Path(__file__).parent.glob("*.onnx"), key=lambda path: (path.stem.endswith(SMALLER), path.stem))
    helpers = {FLOW_MODEL.stem, COLOUR_MODEL.stem, TEXT_MODEL.stem}
    return {path.stem: path for path in paths if path.stem.removesuffix(INT8) not in helpers}


def flow_model() -> Path:
    """Return the file of the network that completes flow: the int8 one where the processor gains by it."""
    return _quickest(FLOW_MODEL)


def colour_model() -> Path:
    """Return the file of the network that completes colours, likewise."""
    return _quickest(COLOUR_MODEL)


def _quickest(path: Path) -> Path:
    return path.with_stem(path.stem + INT8) if multiplies_bytes() else path


def find_model(model: str | Path) -> Path:
    """Return the file of a model given by name or by path.

    Raises:
        InputNotFoundError: neither a model that comes with the package nor a file.
    """
    shipped = shipped_models()
    if str(model) in shipped:
        return shipped[str(model)]
    path = Path(model)
    if not path.is_file():
        names = ", ".join(shipped) or "none"
        raise InputNotFoundError(f"model {model} is neither a file nor a model of this package (it has: {names})")
    return path


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hex digits; an unchanged file is read once."""
    status = path.stat()
    return _sha256(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _sha256(path: Path, modified: int, size: int) -> str:
    """Hash a file; the time it was last written at and its size are there to tell it from what was there before."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
