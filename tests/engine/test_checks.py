"""What settings are checked by."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Literal

import pytest

from ptfan.engine.checks import check_choice, check_numbers
from ptfan.engine.errors import InputError, ModelError


def test_a_choice_is_one_of_those_that_there_are() -> None:
    check_choice("kind", "a", Literal["a", "b"])
    with pytest.raises(ModelError, match=r"^kind is 'c', expected one of a, b$"):
        check_choice("kind", "c", Literal["a", "b"], ModelError)


@pytest.mark.parametrize(
    ("least", "most", "inside", "outside", "expected"),
    [
        (0, None, (0, 0.5, 1e30, None), (-1e-9, math.inf, math.nan), "0 or more"),
        (1, None, (1, 2), (0, -math.inf), "1 or more"),
        (0, 0.5, (0, 0.5, None), (0.51, -1, math.inf, math.nan), "0 to 0.5"),
    ],
)
def test_numbers_lie_in_their_range(
    least: float, most: float | None, inside: tuple[float | None, ...], outside: tuple[float, ...], expected: str
) -> None:
    for value in inside:
        check_numbers("test", SimpleNamespace(first=least, second=value), "first", "second", least=least, most=most)
    for value in outside:
        with pytest.raises(InputError, match=rf"^test: second is {value}, expected {expected}$"):
            check_numbers("test", SimpleNamespace(first=least, second=value), "first", "second", least=least, most=most)
