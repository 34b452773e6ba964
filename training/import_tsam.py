"""Import of the published generator's weights, a PyTorch file, into a checkpoint of ours."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from ptfan.engine.atomic import check_target
from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.engine.models import file_sha256
from ptfan.engine.roles import Role, check_apart
from ptfan.training.checkpoint import Checkpoint, save_checkpoint
from ptfan.training.model import Generator, GeneratorConfig, preset

__all__ = ["Entry", "import_tsam", "published_shapes", "read_published"]

PREFIX = "generator."
ENCODER = "coarse_net.downsample_module.base_model."
DECODER = "coarse_net.upsample_module."

ENCODER_NAMES = (
    (r"encoder\.stem\.", "conv1."),
    (r"encoder\.norm\.", "bn1."),
    (r"\.reduce\.conv\.", ".conv1."),
    (r"\.spatial\.", ".conv2."),
    (r"\.expand\.", ".conv3."),
    (r"\.norm(\d)\.", r".bn\1."),
    (r"\.shortcut\.", ".downsample."),
)
"""Our names in the encoder, and the published ones."""

DECODER_NAMES = {
    "skip2": "conv_c2",
    "skip4": "conv_c4",
    "reduce1": "deconv1.conv",
    "mix1": "conv9",
    "reduce2": "deconv2.conv",
    "mix2": "conv10",
    "reduce3": "deconv3.conv",
    "head": "conv11",
}
"""Our layers of the decoder, and the published ones."""

CONVOLUTIONS = {"feature": "featureConv", "gate": "gatingConv", "conv": "featureConv"}
"""Our convolutions in a layer of the decoder, and the published ones."""

UNSUPPORTED = re.compile(r"(?:Unsupported global:|load unsupported) GLOBAL (\S+) ")
"""How torch's restricted unpickler says which class or function it will not load."""

UNREADABLE = "cannot be read as a PyTorch file, expected what torch.save wrote"

MOST_STRANGERS = 64
"""A file that names more foreign classes than this is not a training checkpoint."""


@dataclass(frozen=True)
class Entry:
    """One tensor of the published file."""

    shape: tuple[int, ...]
    """Its shape."""
    required: bool = True
    """Whether a file without it is refused."""


def import_tsam(source: str | Path, target: str | Path, overwrite: bool = False) -> Checkpoint:
    """Read the published generator's weights from `source` and write them to `target` as a checkpoint of ours.

    The result is preset `r50` with the published network's sampling (convention `tsam`) and holes filled with zero; it
    gives the published network's numbers.

    Args:
        source: see `read_published`.
        target: the `.safetensors` file to write.
        overwrite: replace `target` if it is there.

    Returns:
        Checkpoint: what was written.

    Raises:
        InputNotFoundError: there is no `source`.
        InputError: `target` is `source` itself.
        ModelError: it is not what is expected; a missing, unknown or misshapen key is named.
        OutputExistsError: `target` is there and `overwrite` is not set.
        OutputError: `target` cannot be written.
    """
    source, target = Path(source), Path(target)
    check_apart([Role("output", target)], [Role("input", source)])
    check_target(target, overwrite=overwrite)
    published = read_published(source)
    config = _config()
    record = {"imported_from": source.name, "imported_sha256": file_sha256(source)}
    checkpoint = Checkpoint(config, _convert(published, config), record)
    save_checkpoint(target, checkpoint.generator(), record, overwrite=overwrite)
    return checkpoint


def read_published(source: Path) -> dict[str, Tensor]:
    """Return the published generator's weights, by its own keys without the prefix `generator.`.

    Args:
        source: a file that `torch.save` wrote: the generator's state dict, or a training checkpoint that holds it under
            `state_dict`, with or without the prefix `generator.`. With it, keys of other prefixes are left alone. It is
            loaded with `weights_only=True`: nothing in the file is run.

    Raises:
        InputNotFoundError: there is no `source`.
        ModelError: it is not what is expected; a missing, unknown or misshapen key is named.
    """
    if not source.is_file():
        raise InputNotFoundError(f"{source}: no such file, expected the published generator's checkpoint (.pth)")
    state = _generator_state(_load(source), source)
    _check(state, source)
    return state


def published_shapes() -> dict[str, Entry]:
    """Return what a published generator's state dict holds, by key, without the prefix `generator.`."""
    entries: dict[str, Entry] = {}
    with torch.device("meta"):
        state = Generator(_config()).state_dict()
    for key, value in state.items():
        shape = tuple(value.shape)
        if key.startswith("decoder."):
            entries.update(_decoder_entries(_decoder_key(key), shape))
            continue
        names = _encoder_keys(key)
        if len(names) == 2:
            shape = (shape[0] // 2, *shape[1:])
        required = not key.endswith(".num_batches_tracked")
        entries.update({name: Entry(shape, required) for name in names})
    return entries


def _config() -> GeneratorConfig:
    return preset("r50", convention="tsam")


def _encoder_keys(key: str) -> tuple[str, ...]:
    """The published name of one of our encoder's tensors; two names where we keep feature and gate as one."""
    name = re.sub(r"^encoder\.stages\.(\d)\.blocks\.", lambda m: f"layer{int(m[1]) + 1}.", key)
    for ours, theirs in ENCODER_NAMES:
        name = re.sub(ours, theirs, name)
    if ".reduce.conv." in key:
        return tuple(ENCODER + name.replace(".conv1.", f".conv1.{part}.") for part in ("net", "gating_conv"))
    return (ENCODER + name,)


def _decoder_key(key: str) -> str:
    """The published name of one of our decoder's tensors: of its copies, the one under `.layer.` counts."""
    _, layer, convolution, parameter = key.split(".")
    return f"{DECODER}{DECODER_NAMES[layer]}.{CONVOLUTIONS[convolution]}.layer.{parameter}"


def _decoder_entries(key: str, shape: tuple[int, ...]) -> Iterator[tuple[str, Entry]]:
    """One effective tensor of the decoder, and the copies and buffers that the published wrapper keeps beside it."""
    yield key, Entry(shape)
    wrapper = key.replace(".layer.", ".")
    spectral = ".conv11." not in key  # the last layer has no spectral norm round it
    if wrapper.endswith(".bias") or not spectral:
        yield wrapper, Entry(shape)
        return
    yield f"{wrapper}_orig", Entry(shape, required=False)
    yield f"{wrapper}_u", Entry(shape[:1], required=False)
    yield f"{wrapper}_v", Entry((shape[1] * shape[2] * shape[3],), required=False)


class _Inert:
    """Stands for an object of a class that the file names and that is not loaded."""

    def __init__(self, *_: object) -> None:
        """Take anything, keep nothing."""

    def __setstate__(self, _: object) -> None:
        """Keep nothing."""


def _load(source: Path) -> Any:
    """Unpickle with torch's restricted unpickler. A training checkpoint holds a logger; such objects become inert."""
    strangers: list[Any] = []
    while True:
        content, stranger = _try_load(source, strangers)
        if stranger is None:
            return content
        strangers.append((_Inert, stranger))


def _try_load(source: Path, strangers: list[Any]) -> tuple[Any, str | None]:
    """Return what the file holds, or the name of a class in it that is not among `strangers` yet."""
    try:
        with torch.serialization.safe_globals(strangers), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle that torch did not write; what matters is told below
            return torch.load(source, map_location="cpu", weights_only=True), None
    except pickle.UnpicklingError as error:
        # The error's own text is not passed on: it advises to load the file unsafely.
        stranger = UNSUPPORTED.search(str(error))
        if stranger is None:
            raise ModelError(f"{source}: {UNREADABLE}") from error
        if len(strangers) >= MOST_STRANGERS or any(stranger[1] == name for _, name in strangers):
            raise ModelError(f"{source}: refused, it would run {stranger[1]}; expected tensors alone") from error
        return None, stranger[1]
    except OSError as error:
        raise ModelError(f"{source}: cannot be read ({error.strerror or error})") from error
    except (RuntimeError, ValueError, TypeError, LookupError, EOFError, AttributeError, SafetensorError) as error:
        raise ModelError(f"{source}: {UNREADABLE}") from error


def _generator_state(content: Any, source: Path) -> dict[str, Tensor]:
    """Find the generator's state dict in what was loaded, and drop the prefix."""
    state = content.get("state_dict", content) if isinstance(content, Mapping) else content
    if not isinstance(state, Mapping) or not state:
        raise ModelError(f"{source}: holds {_kind(state)}, expected a state dict, or one under 'state_dict'")
    if any(str(key).startswith(PREFIX) for key in state):
        state = {key[len(PREFIX) :]: value for key, value in state.items() if str(key).startswith(PREFIX)}
    return {str(key): value for key, value in state.items()}


def _check(state: Mapping[str, Any], source: Path) -> None:
    """Refuse a state dict that is not the published generator's, and name what is wrong."""
    expected = published_shapes()
    missing = [key for key, entry in expected.items() if entry.required and key not in state]
    unknown = [key for key in state if key not in expected]
    trouble = [f"missing {missing[0]} ({len(missing)} in all)"] if missing else []
    trouble += [f"unknown {unknown[0]} ({len(unknown)} in all)"] if unknown else []
    trouble += [text for key, entry in expected.items() if key in state and (text := _misfit(key, state[key], entry))]
    if trouble:
        raise ModelError(f"{source}: not the published generator's weights: {'; '.join(trouble[:2])}")


def _misfit(key: str, value: Any, entry: Entry) -> str:
    if not isinstance(value, Tensor):
        return f"{key} is {_kind(value)}, expected a tensor of shape {entry.shape}"
    if tuple(value.shape) != entry.shape:
        return f"{key} has shape {tuple(value.shape)}, expected {entry.shape}"
    return ""


def _convert(published: Mapping[str, Tensor], config: GeneratorConfig) -> dict[str, Tensor]:
    """Rename, and stack feature and gate of the encoder's layers."""
    with torch.device("meta"):
        expected = Generator(config).state_dict()
    state = {}
    for key, like in expected.items():
        if key.endswith(".num_batches_tracked"):
            state[key] = published.get(_encoder_keys(key)[0], torch.zeros(())).to(like.dtype)
            continue
        names = (_decoder_key(key),) if key.startswith("decoder.") else _encoder_keys(key)
        state[key] = torch.cat([published[name] for name in names]).to(like.dtype)
    return state


def _kind(value: Any) -> str:
    """Say what a value of the file is."""
    if isinstance(value, _Inert):
        return "an object of a class that is not loaded"
    return f"{'an empty' if isinstance(value, Mapping) and not value else 'a'} {type(value).__name__}"
