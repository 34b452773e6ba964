"""What an ONNX file says of itself, read without a library for ONNX: a machine that builds plans may have none."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.engine.spec import METADATA_KEY, ModelSpec

__all__ = ["check_whole", "count_nodes", "read_spec", "without_functions"]

MODEL_GRAPH, MODEL_METADATA, MODEL_FUNCTIONS = 7, 14, 25
GRAPH_NODE = 1
NODE_TYPE, NODE_DOMAIN = 4, 7
ENTRY_KEY, ENTRY_VALUE = 1, 2
"""The numbers of the fields in onnx.proto."""
WAYS_OUT: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {13: "place"},
}
"""The fields by which one comes from a model to all places, outside of the file, where tensors are said to lie."""
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
"""How a field is written."""


def read_spec(path: Path) -> ModelSpec:
    """Read the spec that `ptfan export` put into an ONNX file.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is not an ONNX file, or has no spec that can be read.
    """
    data = _read(path)
    with _parsing(path):
        entries = [dict(_fields(entry)) for number, entry in _fields(data) if number == MODEL_METADATA]
        texts = {_text(entry.get(ENTRY_KEY, b"")): _text(entry.get(ENTRY_VALUE, b"")) for entry in entries}
    if METADATA_KEY not in texts:
        raise ModelError(f"model {path}: has no ptfan spec in its metadata; export it with `ptfan export`")
    try:
        return ModelSpec.from_json(texts[METADATA_KEY])
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def check_whole(path: Path) -> None:
    """Check that no tensor of an ONNX file lies elsewhere.

    Where it lies may be any file on this machine, and not every release of every library that reads models looks where
    that leads. Nor would the file's hash say which model it is.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: one does; or it is not an ONNX file.
    """
    data = _read(path)
    with _parsing(path):
        leads_out = "place" in _kinds(data)
    if leads_out:
        raise ModelError(f"model {path}: keeps tensors in other files, which are not read; save it as one file")


def count_nodes(path: Path, op: str, domain: str) -> int:
    """Return how many nodes of an op an ONNX file's graph holds, those inside of functions left out.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is not an ONNX file.
    """
    data = _read(path)
    with _parsing(path):
        graphs = [graph for number, graph in _fields(data) if number == MODEL_GRAPH]
        nodes = [dict(_fields(node)) for graph in graphs for number, node in _fields(graph) if number == GRAPH_NODE]
        names = [(_text(node.get(NODE_TYPE, b"")), _text(node.get(NODE_DOMAIN, b""))) for node in nodes]
    return names.count((op, domain))


def without_functions(path: Path) -> bytes:
    """Return an ONNX file's content without the functions that stand for its own ops: whoever reads it must know these.

    Raises:
        InputNotFoundError: there is no such file.
        ModelError: it is not an ONNX file.
    """
    data = _read(path)
    with _parsing(path):
        return b"".join(data[begin:end] for number, begin, _, end in _places(data) if number != MODEL_FUNCTIONS)


def _read(path: Path) -> memoryview:
    if not path.is_file():
        raise InputNotFoundError(f"model {path}: there is no such file")
    if not path.stat().st_size:
        raise ModelError(f"model {path}: is empty; expected an ONNX file")
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


@contextmanager
def _parsing(path: Path) -> Iterator[None]:
    """Refuse a file whose bytes turn out to be no message."""
    try:
        yield
    except (IndexError, ValueError) as error:
        raise ModelError(f"model {path}: cannot be read; expected an ONNX file") from error


def _kinds(model: memoryview) -> Iterator[str]:
    """Go through all messages that `WAYS_OUT` leads to, and say what each is."""
    parts = [("model", model)]
    while parts:
        kind, data = parts.pop()
        yield kind
        known = WAYS_OUT.get(kind, {})
        parts += [(known[number], part) for number, part in _fields(data) if number in known]


def _text(value: memoryview | bytes) -> str:
    return bytes(value).decode()


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Go through the fields of a message: number and content; nothing for the content of plain numbers.

    Raises:
        IndexError: the data ends within a field.
        ValueError: it is no message.
    """
    for number, _, content, end in _places(data):
        yield number, data[content:end]


def _places(data: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Go through the fields of a message: number, where the field begins, where its content does, where both end."""
    end = 0
    while end < len(data):
        begin = end
        key, content = _varint(data, begin)
        number, kind = key >> 3, key & 7
        size = {EIGHT_BYTES: 8, FOUR_BYTES: 4, VARINT: 0}.get(kind)
        if kind == LENGTH:
            size, content = _varint(data, content)
        elif kind == VARINT:
            _, content = _varint(data, content)
        if size is None or not number:
            raise ValueError("not a message")
        end = content + size
        if end > len(data):
            raise IndexError("cut off")
        yield number, begin, content, end


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
