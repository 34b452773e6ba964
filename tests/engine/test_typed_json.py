from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.typed_json import from_object


@dataclass(frozen=True)
class Inner:
    share: float = 0.5


class Pair(NamedTuple):
    width: int
    height: int


@dataclass(frozen=True)
class State:
    label: str
    extent: Pair | None = None


@dataclass(frozen=True)
class Outer:
    count: int = 1
    name: str | None = None
    kind: Literal["a", "b"] = "a"
    size: tuple[int, int] = (1, 2)
    many: tuple[float, ...] = ()
    inner: Inner = field(default_factory=Inner)
    free: dict[str, Any] = field(default_factory=dict)
    state: State | None = None


def test_a_named_tuple_is_a_list_in_json() -> None:
    assert from_object(State, {"label": "x", "extent": [3, 4]}, "test") == State("x", Pair(3, 4))
    with pytest.raises(InputError, match="extent is '4', expected a whole number"):
        from_object(State, {"label": "x", "extent": [3, "4"]}, "test")


def test_every_kind_of_field_is_read() -> None:
    values = {
        "count": 3,
        "name": "x",
        "kind": "b",
        "size": [4, 5],
        "many": [1, 2.5],
        "inner": {"share": 1},
        "free": {"any": [1]},
    }
    assert from_object(Outer, values, "test") == Outer(3, "x", "b", (4, 5), (1.0, 2.5), Inner(1.0), {"any": [1]})
    assert from_object(Outer, {"name": None}, "test") == Outer()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"state": {}}, "test: state: label is missing"),
        ([], "test: [] stands where a JSON object was expected"),
        ({"colour": 1, "b": 2}, "test: unknown fields b, colour"),
        ({"count": True}, "test: count is True, expected a whole number"),
        ({"count": None}, "test: count is None, expected a whole number"),
        ({"name": 3}, "test: name is 3, expected a text"),
        ({"kind": "c"}, "test: kind is 'c', expected one of a, b"),
        ({"kind": []}, "test: kind is [], expected one of a, b"),
        ({"size": [1]}, "test: size is [1], expected 2 entries"),
        ({"size": [1, "2"]}, "test: size is '2', expected a whole number"),
        ({"inner": {"share": "x"}}, "test: inner: share is 'x', expected a number"),
        ({"free": 1}, "test: free is 1, expected"),
    ],
)
def test_what_does_not_fit_is_named(values: Any, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        from_object(Outer, values, "test")
    assert str(caught.value).startswith(reason)
