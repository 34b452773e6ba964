"""Dataclasses from JSON: unknown and missing fields, wrong types and values out of range end in one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ptfan.engine.errors import InputError

__all__ = ["from_object", "from_text"]

Settings = TypeVar("Settings")


def from_text(
    kind: type[Settings], text: str | bytes, what: str, *, raised: type[InputError] = InputError, advice: str = ""
) -> Settings:
    """Build a dataclass from the text of a JSON object; see `from_object`.

    Args:
        kind: the dataclass.
        text: JSON; of bytes the encoding is found out.
        what: the name that errors begin with.
        raised: the kind of error that a reader of such a text raises.
        advice: what errors end in.

    Raises:
        InputError: of the kind `raised`; the text is no JSON, or a field cannot be.
    """
    try:
        return from_object(kind, json.loads(text), what)
    except InputError as error:
        raise error if isinstance(error, raised) else raised(f"{error}{advice}") from error
    except (ValueError, RecursionError) as error:
        raise raised(f"{what}: is no JSON ({error}){advice}") from error


def from_object(kind: type[Settings], values: object, what: str) -> Settings:
    """Build a dataclass from a JSON object; fields left out keep their defaults.

    Args:
        kind: the dataclass. Its fields are bool, int, float, str, Literal, tuple, named tuple, dict, None, or
            dataclasses again.
        values: what JSON gave.
        what: the name that errors begin with.

    Raises:
        InputError: a field is unknown, missing, of a wrong type or out of range.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"{what}: {values!r} stands where a JSON object was expected")
    hints, entries = get_type_hints(kind), fields(kind)  # type: ignore[arg-type]
    unknown = sorted(set(values) - {entry.name for entry in entries})
    if unknown:
        raise InputError(f"{what}: unknown fields {', '.join(unknown)}")
    needed = [entry.name for entry in entries if entry.default is MISSING and entry.default_factory is MISSING]
    missing = [name for name in needed if name not in values]
    if missing:
        raise InputError(f"{what}: {missing[0]} is missing")
    return kind(**{name: _converted(hints[name], value, f"{what}: {name}") for name, value in values.items()})


def _converted(kind: Any, value: Any, what: str) -> Any:
    origin = get_origin(kind)
    if is_dataclass(kind):
        return from_object(kind, value, what)  # type: ignore[arg-type]
    if origin in (Union, UnionType):
        return _one_of(get_args(kind), value, what)
    if isinstance(value, list) and (origin is tuple or _is_named_tuple(kind)):
        entries = (_converted(part, entry, what) for part, entry in zip(_parts(kind, value, what), value, strict=True))
        return tuple(entries) if origin is tuple else kind(*entries)
    if origin is Literal and value in get_args(kind):
        return value
    if origin is dict and isinstance(value, dict):
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind:
        return value
    raise InputError(f"{what} is {value!r}, expected {_called(kind)}")


def _one_of(kinds: tuple[Any, ...], value: Any, what: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    return _converted(next(kind for kind in kinds if kind is not NoneType), value, what)


def _parts(kind: Any, value: list[Any], what: str) -> tuple[Any, ...]:
    """Return the type of each entry of a tuple."""
    kinds = tuple(get_type_hints(kind).values()) if _is_named_tuple(kind) else get_args(kind)
    if kinds[-1] is Ellipsis:
        return (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise InputError(f"{what} is {value!r}, expected {len(kinds)} entries")
    return kinds


def _is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def _called(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    return {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}.get(kind, "another type")
