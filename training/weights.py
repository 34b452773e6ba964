"""Weights that others published: files of tensors, read without running anything that they hold."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ptfan.engine.errors import InputNotFoundError, ModelError

__all__ = ["read_weights"]

UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    pickle.UnpicklingError,
    SafetensorError,
)
"""What reading rubbish raises."""


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a `.safetensors` file, or of a state dict that torch saved, onto the CPU.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it cannot be read, or is not a mapping of names to tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"{path}: no such file, expected weights (.pth or .safetensors)")
    try:
        state = load_file(path) if path.suffix == ".safetensors" else _load(path)
    except UNREADABLE as error:
        # The error's own text is not passed on: torch's advises to load the file unsafely.
        raise ModelError(f"{path}: cannot be read as weights, expected a state dict of tensors alone") from error
    if not isinstance(state, Mapping):
        raise ModelError(f"{path}: holds a {type(state).__name__}, expected a state dict of tensors")
    return {str(key): value for key, value in state.items() if isinstance(value, Tensor)}


def _load(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a pickle that torch did not write; what matters is told by the error
        return torch.load(path, map_location="cpu", weights_only=True)
