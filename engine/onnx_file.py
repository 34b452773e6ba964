"""What an ONNX file says of itself, read without a library: a machine that runs TensorRT need have none for ONNX."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.engine.spec import METADATA_KEY, ModelSpec

__all__ = ["count_nodes", "read_spec"]

MODEL_GRAPH, MODEL_METADATA = 7, 14
GRAPH_NODE = 1
NODE_TYPE, NODE_DOMAIN = 4, 7
ENTRY_KEY, ENTRY_VALUE = 1, 2
"""The numbers of the fields in onnx.proto."""
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
"""How a field is written."""


def read_spec(path: Path) -> ModelSpec:
    """Read the spec that `ptfan export` put into an ONNX file.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is not an ONNX file, or has no spec that can be read.
    """
    data = _read(path)
    try:
        entries = [dict(_fields(entry)) for number, entry in _fields(data) if number == MODEL_METADATA]
        texts = {_text(entry.get(ENTRY_KEY, b"")): _text(entry.get(ENTRY_VALUE, b"")) for entry in entries}
    except (IndexError, ValueError) as error:
        raise ModelError(f"model {path}: cannot be read; expected an ONNX file") from error
    if METADATA_KEY not in texts:
        raise ModelError(f"model {path}: has no ptfan spec in its metadata; export it with `ptfan export`")
    try:
        return ModelSpec.from_json(texts[METADATA_KEY])
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def count_nodes(path: Path, op: str, domain: str) -> int:
    """Return how many nodes of an op an ONNX file's graph holds, those inside of functions left out.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is not an ONNX file.
    """
    try:
        graphs = [graph for number, graph in _fields(_read(path)) if number == MODEL_GRAPH]
        nodes = [dict(_fields(node)) for graph in graphs for number, node in _fields(graph) if number == GRAPH_NODE]
        names = [(_text(node.get(NODE_TYPE, b"")), _text(node.get(NODE_DOMAIN, b""))) for node in nodes]
    except (IndexError, ValueError) as error:
        raise ModelError(f"model {path}: cannot be read; expected an ONNX file") from error
    return names.count((op, domain))


def _read(path: Path) -> memoryview:
    if not path.is_file():
        raise InputNotFoundError(f"model {path}: there is no such file")
    if not path.stat().st_size:
        raise ModelError(f"model {path}: is empty; expected an ONNX file")
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _text(value: memoryview | bytes) -> str:
    return bytes(value).decode()


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Go through the fields of a message: number and content; nothing for the content of plain numbers.

    Raises:
        IndexError: the data ends within a field.
        ValueError: it is no message.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            _, at = _varint(data, at)
            yield number, data[:0]
            continue
        size = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(kind)
        if kind == LENGTH:
            size, at = _varint(data, at)
        if size is None or not number:
            raise ValueError("not a message")
        if at + size > len(data):
            raise IndexError("cut off")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("not a number")
