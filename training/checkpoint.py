"""A checkpoint: one `.safetensors` file that holds weights, the config they belong to, and how they were trained."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ptfan.engine.atomic import check_target
from ptfan.engine.errors import InputNotFoundError, ModelError, OutputError
from ptfan.training.model import Generator, GeneratorConfig

__all__ = ["Checkpoint", "build", "check_state", "load_checkpoint", "save_checkpoint"]

CONFIG_KEY = "ptfan.config"
RECORD_KEY = "ptfan.record"


@dataclass(frozen=True)
class Checkpoint:
    """A generator's weights with all that is known about them."""

    config: GeneratorConfig
    """The architecture."""
    state: Mapping[str, Tensor]
    """The generator's state dict, on the CPU."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How it came to be: steps, seed, command, data and so on; anything that JSON can hold."""

    def generator(self) -> Generator:
        """Build the generator with these weights, in evaluation mode.

        Raises:
            ModelError: the weights do not fit the config; the first that does not is named.
        """
        check_state(self.config, self.state)
        with torch.device("meta"):  # no time is spent on a fresh initialisation that is replaced at once
            generator = Generator(self.config)
        # Copies: whoever trains this generator further does not change the checkpoint.
        generator.load_state_dict({key: value.clone() for key, value in self.state.items()}, assign=True)
        return generator.eval()


def save_checkpoint(
    path: str | Path, generator: Generator, record: Mapping[str, Any], *, overwrite: bool = False
) -> None:
    """Write a generator's weights, its config and the training `record` to `path`, whole or not at all.

    Raises:
        OutputExistsError: `path` is there and `overwrite` is not set.
        OutputError: `path` cannot be written.
    """
    path = Path(path)
    check_target(path, overwrite=overwrite)
    tensors = {key: value.detach().cpu().contiguous() for key, value in generator.state_dict().items()}
    metadata = {CONFIG_KEY: generator.config.to_json(), RECORD_KEY: json.dumps(dict(record))}
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        beside.touch()
        mode = beside.stat().st_mode
        save_file(tensors, beside, metadata=metadata)
        beside.chmod(mode)  # safetensors makes files that only their owner may read
        beside.replace(path)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{path}: the checkpoint cannot be written ({_one_line(error)})") from error
    finally:
        beside.unlink(missing_ok=True)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read the checkpoint at `path`, onto the CPU.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is not a checkpoint of ptfan, or its weights do not fit its config.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"{path}: no such file, expected a checkpoint (.safetensors)")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be read as safetensors ({_one_line(error)})") from error
    try:
        config, record = _read_metadata(metadata)
        check_state(config, state)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    return Checkpoint(config, state, record)


def build(path: str | Path) -> Generator:
    """Build the generator of the checkpoint at `path`, in evaluation mode, on the CPU.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is not a checkpoint of ptfan, or its weights do not fit its config.
    """
    return load_checkpoint(path).generator()


def check_state(config: GeneratorConfig, state: Mapping[str, Tensor]) -> None:
    """Check that `state` has exactly the keys, shapes and types that `config` asks for.

    Raises:
        ModelError: it has not; the first key of each kind of trouble is named.
    """
    with torch.device("meta"):
        expected = Generator(config).state_dict()
    trouble = [
        _named("missing", [key for key in expected if key not in state]),
        _named("unknown", [key for key in state if key not in expected]),
        *(_misfit(key, state[key], value) for key, value in expected.items() if key in state),
    ]
    first = [text for text in trouble if text][:2]
    if first:
        raise ModelError(f"weights do not fit config {config.name!r}: {'; '.join(first)}")


def _read_metadata(metadata: Mapping[str, str]) -> tuple[GeneratorConfig, dict[str, Any]]:
    if CONFIG_KEY not in metadata:
        raise ModelError(f"has no {CONFIG_KEY} in its metadata, expected a checkpoint that ptfan wrote")
    try:
        record = json.loads(metadata.get(RECORD_KEY, "{}"))
    except ValueError as error:
        raise ModelError(f"its training record is no JSON ({error})") from error
    if not isinstance(record, dict):
        raise ModelError(f"its training record is a {type(record).__name__}, expected a JSON object")
    return GeneratorConfig.from_json(metadata[CONFIG_KEY]), record


def _misfit(key: str, value: Tensor, like: Tensor) -> str:
    if value.shape != like.shape:
        return f"{key} has shape {tuple(value.shape)}, expected {tuple(like.shape)}"
    if value.dtype != like.dtype:
        return f"{key} is {value.dtype}, expected {like.dtype}"
    return ""


def _named(kind: str, keys: list[str]) -> str:
    if not keys:
        return ""
    return f"{kind} {keys[0]}" + (f" and {len(keys) - 1} more" if len(keys) > 1 else "")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
