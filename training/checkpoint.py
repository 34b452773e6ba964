"""A checkpoint: one `.safetensors` file that holds weights, the config they belong to, and how they were trained."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ptfan.engine.atomic import write_atomically
from ptfan.engine.errors import InputNotFoundError, ModelError, one_line
from ptfan.training.model import Generator, GeneratorConfig
from ptfan.training.model.flow_completer import FlowCompleter
from ptfan.training.model.helpers import KINDS, Helper

__all__ = [
    "Checkpoint",
    "build",
    "check_state",
    "holds_helper",
    "load_checkpoint",
    "load_helper",
    "load_helper_of",
    "save_checkpoint",
    "save_helper",
]

CONFIG_KEY = "ptfan.config"
RECORD_KEY = "ptfan.record"
HELD = {CONFIG_KEY: "network that fills holes", **{kind.key: kind.name for kind in KINDS.values()}}
"""What a checkpoint may hold, by the name of its config in the metadata."""
Network = TypeVar("Network", bound=Helper)


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
    _write(Path(path), generator, CONFIG_KEY, record, overwrite)


def save_helper(path: str | Path, helper: Helper, record: Mapping[str, Any], *, overwrite: bool = False) -> None:
    """Write a helper network like `save_checkpoint` writes a generator."""
    _write(Path(path), helper, KINDS[type(helper)].key, record, overwrite)


def _write(path: Path, network: Generator | Helper, key: str, record: Mapping[str, Any], overwrite: bool) -> None:
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    metadata = {key: network.config.to_json(), RECORD_KEY: json.dumps(dict(record))}
    write_atomically(path, save(tensors, metadata=metadata), overwrite=overwrite)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read the checkpoint at `path`, onto the CPU.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is not a checkpoint of ptfan, or its weights do not fit its config.
    """
    path = Path(path)
    metadata, state = _read(path)
    try:
        _check_held(metadata, CONFIG_KEY)
        config, record = GeneratorConfig.from_json(metadata[CONFIG_KEY]), _record(metadata)
        check_state(config, state)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    return Checkpoint(config, state, record)


def holds_helper(path: str | Path) -> bool:
    """Tell whether the checkpoint at `path` is of a helper network; it is not read any further.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it cannot be read as safetensors.
    """
    with _opened(Path(path)) as file:
        return not {kind.key for kind in KINDS.values()}.isdisjoint(file.metadata() or {})


def load_helper(path: str | Path) -> Helper:
    """Build the helper network of the checkpoint at `path`, in evaluation mode, on the CPU.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is no checkpoint of one, or its weights do not fit its config.
    """
    path = Path(path)
    metadata, stored = _read(path)
    state = {name: _unpacked(value) for name, value in stored.items()}
    kind = next((kind for kind in KINDS.values() if kind.key in metadata), KINDS[FlowCompleter])
    try:
        _check_held(metadata, *(kind.key for kind in KINDS.values()))
        config = kind.config.from_json(metadata[kind.key])
        with torch.device("meta"):  # a config that the weights do not fit may ask for all memory there is
            expected = kind.build(config).state_dict()
        _check(f"the {kind.name}", expected, state)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    helper = kind.build(config)
    helper.load_state_dict(state)
    return helper.eval()


def _unpacked(value: Tensor) -> Tensor:
    """Return weights as they are computed with: files that are to be small store them in half precision."""
    return value.float() if value.dtype == torch.float16 else value


def load_helper_of(network: type[Network], path: str | Path) -> Network:
    """Build such a network of one kind; see `load_helper`.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is no checkpoint of one, or of another kind, or its weights do not fit its config.
    """
    helper = load_helper(path)
    if not isinstance(helper, network):
        raise ModelError(f"{path}: is a {KINDS[type(helper)].name}, expected a {KINDS[network].name}")
    return helper


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    with _opened(path) as file:
        return file.metadata() or {}, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise InputNotFoundError(f"{path}: no such file, expected a checkpoint (.safetensors)")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be read as safetensors ({one_line(error)})") from error


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
    _check(f"config {config.name!r}", expected, state)


def _check(name: str, expected: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    trouble = [
        _named("missing", [key for key in expected if key not in state]),
        _named("unknown", [key for key in state if key not in expected]),
        *(_misfit(key, state[key], value) for key, value in expected.items() if key in state),
    ]
    first = [text for text in trouble if text][:2]
    if first:
        raise ModelError(f"weights do not fit {name}: {'; '.join(first)}")


def _check_held(metadata: Mapping[str, str], *keys: str) -> None:
    """Check that a checkpoint holds one of the networks whose configs have these names."""
    if not any(key in metadata for key in keys):
        held = next((name for key, name in HELD.items() if key in metadata), None)
        if held is None:
            raise ModelError(f"has no {keys[0]} in its metadata, expected a checkpoint that ptfan wrote")
        raise ModelError(f"is a {held}, expected a {' or a '.join(HELD[key] for key in keys)}")


def _record(metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        record = json.loads(metadata.get(RECORD_KEY, "{}"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"its training record is no JSON ({error})") from error
    if not isinstance(record, dict):
        raise ModelError(f"its training record is a {type(record).__name__}, expected a JSON object")
    return record


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
